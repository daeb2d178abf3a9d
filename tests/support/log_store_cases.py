"""What every store of log files must do, whatever it is made of: whoever gives a `store` gets the tests."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from candor_generation.domain import merkle, note, tiles
from candor_generation.domain.tiles import Tile
from candor_generation.files import LogBrokenError, LogFiles, LogStore, OvertakenError
from candor_generation.signing import Signer

ORIGIN = "candor.example/log/generation/2026h2"
SIGNER = Signer(ORIGIN, bytes(range(32)))


def checkpoint(size: int, root: bytes = bytes(32)) -> str:
    """A signed checkpoint."""
    return SIGNER.sign(note.Checkpoint(ORIGIN, size, root).text)


class LogStoreCases:
    """The tests."""

    @pytest.fixture
    def files(self, store: LogStore) -> LogFiles:
        """One log's files."""
        return store.of("generation", "2026h2")

    def test_it_refuses_what_it_must(self, store: LogStore) -> None:
        store.check()
        store.check()

    def test_a_tile_is_read_back_and_may_be_written_again_with_the_same_bytes(self, files: LogFiles) -> None:
        tile = Tile(0, 1234067, 3)
        files.write([(tile, b"abc")])
        files.write([(tile, b"abc")])
        assert files.read(tile) == b"abc"

    def test_a_tile_never_changes(self, files: LogFiles) -> None:
        files.write([(Tile(0, 0), b"abc")])
        with pytest.raises(LogBrokenError, match="other bytes"):
            files.write([(Tile(0, 1), b"abc"), (Tile(0, 0), b"abd")])
        assert files.read(Tile(0, 0)) == b"abc"

    def test_what_is_not_there_is_not_there(self, store: LogStore, files: LogFiles) -> None:
        files.write([(Tile(0, 0, 3), b"abc")])
        for tile in (Tile(0, 0), Tile(0, 0, 4), Tile(None, 0), Tile(0, 10**900)):
            with pytest.raises(FileNotFoundError):
                files.read(tile)
        with pytest.raises(FileNotFoundError):
            store.of("acts", "2026h2").read(Tile(0, 0, 3))
        assert store.of("acts", "2026h2").checkpoint() is None

    def test_a_log_is_read_from_its_files_alone_and_needs_no_partial_tile_once_the_full_one_is_there(
        self, files: LogFiles
    ) -> None:
        entries = [f"entry {index}".encode() for index in range(700)]
        leaves = [merkle.leaf_hash(entry) for entry in entries]
        frontier = tiles.Frontier()
        for start, end in ((0, 100), (100, 255), (255, 600), (600, 700)):
            frontier, full = tiles.grow(frontier, entries[start:end])
            files.write([*full, *frontier.partials()])
            files.drop_partials([tile for tile, _ in full])
        for size in (100, 255, 600, 700):
            assert tiles.load(size, files.read).root() == merkle.tree_hash(leaves[:size])
            spans = merkle.inclusion_spans(17, size)
            assert files.reader(size).proof(spans) == [merkle.tree_hash(leaves[start:end]) for start, end in spans]
        with pytest.raises(FileNotFoundError):
            files.read(Tile(0, 3))

    def test_partial_tiles_of_an_earlier_writer_are_dropped_too(self, store: LogStore, files: LogFiles) -> None:
        files.write([(Tile(0, 0, 3), bytes(96)), (Tile(0, 0, 4), bytes(128)), (Tile(0, 1, 2), bytes(64))])
        following = store.of("generation", "2026h2")
        following.write([(Tile(0, 0), bytes([1]) * 8192)])
        following.drop_partials([Tile(0, 0)])
        assert following.read(Tile(0, 0, 3)) == bytes([1]) * 96
        assert following.read(Tile(0, 1, 2)) == bytes(64)

    def test_the_checkpoint_is_replaced_whole_and_says_when(self, store: LogStore, files: LogFiles) -> None:
        assert files.published() is None
        for size in (0, 1, 70):
            files.publish(checkpoint(size))
        found = store.of("generation", "2026h2").published()
        assert found is not None
        assert found.checkpoint == checkpoint(70) == files.checkpoint()
        assert abs(found.at - time.time()) < 60

    def test_more_cosignatures_may_follow_but_no_smaller_tree_and_no_other_root(self, files: LogFiles) -> None:
        files.publish(checkpoint(5))
        cosigned = checkpoint(5) + "— witness.example AAAAAAAA\n"
        files.publish(cosigned)
        for wrong in (checkpoint(4), checkpoint(5, bytes([1]) * 32), "garbage"):
            with pytest.raises(LogBrokenError):
                files.publish(wrong)
        assert files.checkpoint() == cosigned

    def test_a_paused_writer_that_wakes_up_cannot_publish(self, store: LogStore) -> None:
        paused, active = store.of("generation", "2026h2"), store.of("generation", "2026h2")
        paused.checkpoint()
        paused.publish(checkpoint(3))
        assert active.checkpoint() == checkpoint(3)
        active.publish(checkpoint(4))
        active.publish(checkpoint(9))
        for late in (4, 5, 10):
            with pytest.raises(OvertakenError):
                paused.publish(checkpoint(late))
        assert active.checkpoint() == checkpoint(9)

    def test_a_writer_that_never_looked_cannot_publish_over_another(self, store: LogStore, files: LogFiles) -> None:
        files.publish(checkpoint(3))
        with pytest.raises(OvertakenError):
            store.of("generation", "2026h2").publish(checkpoint(4))

    def test_what_was_published_already_may_be_published_again(self, store: LogStore, files: LogFiles) -> None:
        again = store.of("generation", "2026h2")
        again.checkpoint()
        files.publish(checkpoint(3))
        # As after an answer that was lost.
        again.publish(checkpoint(3))
        again.publish(checkpoint(4))
        with pytest.raises(OvertakenError):
            files.publish(checkpoint(5))

    def test_of_many_that_publish_at_once_one_does(self, store: LogStore, files: LogFiles) -> None:
        files.publish(checkpoint(1))
        rivals = [store.of("generation", "2026h2") for _ in range(8)]
        for rival in rivals:
            rival.checkpoint()

        def publish(number: int) -> bool:
            try:
                rivals[number].publish(checkpoint(2, bytes([number]) * 32))
            except OvertakenError:
                return False
            return True

        with ThreadPoolExecutor(len(rivals)) as pool:
            did = list(pool.map(publish, range(len(rivals))))
        assert sum(did) == 1
        assert files.checkpoint() == checkpoint(2, bytes([did.index(True)]) * 32)

    def test_a_log_is_dropped_whole_and_no_other(self, store: LogStore, files: LogFiles) -> None:
        other = store.of("generation", "2026h20")
        for log in (files, other):
            log.write([(Tile(0, 0, 3), b"abc"), (Tile(None, 12345), b"ab")])
            log.publish(checkpoint(3))
        files.drop()
        files.drop()
        assert files.checkpoint() is None
        for tile in (Tile(0, 0, 3), Tile(None, 12345)):
            with pytest.raises(FileNotFoundError):
                files.read(tile)
        assert other.read(Tile(0, 0, 3)) == b"abc"
        assert other.checkpoint() == checkpoint(3)
