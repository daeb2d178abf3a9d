// Reads a tlog-proof as torchwood does: peers POLICY_FILE ENTRY_FILE PROOF_FILE. Exit code 0 where it holds.
package main

import (
	"errors"
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := verify(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func verify(names []string) error {
	if len(names) != 3 {
		return errors.New("usage: peers POLICY_FILE ENTRY_FILE PROOF_FILE")
	}
	var files [3][]byte
	for i, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		files[i] = content
	}
	policy, err := torchwood.ParsePolicy(files[0])
	if err != nil {
		return err
	}
	return torchwood.VerifyProof(policy, tlog.RecordHash(files[1]), files[2])
}
