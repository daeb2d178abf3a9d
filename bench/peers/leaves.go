package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"k8s.io/klog/v2"
)

// leavesOf gives, one after the other, the entries of a log's full bundles below a folder; after the last one it gives
// them again, each with its number behind it so that no two are the same.
func leavesOf(folder string) func() []byte {
	var mu sync.Mutex
	var number, index, round uint64
	var bundle api.EntryBundle
	load := func() bool {
		raw, err := os.ReadFile(filepath.Join(folder, layout.EntriesPath(number, 0)))
		if err != nil {
			return false
		}
		bundle = api.EntryBundle{}
		if err := bundle.UnmarshalText(raw); err != nil {
			klog.Exitf("bundle %d: %v", number, err)
		}
		number++
		index = 0
		return true
	}
	if !load() {
		klog.Exitf("%s holds no full bundle", folder)
	}
	return func() []byte {
		mu.Lock()
		defer mu.Unlock()
		if index == uint64(len(bundle.Entries)) && !load() {
			number = 0
			round++
			load()
		}
		entry := bundle.Entries[index]
		index++
		if round > 0 {
			return fmt.Appendf(append([]byte{}, entry...), " %d", round)
		}
		return entry
	}
}
