"""C2SP tlog-policy: what a policy file says, where it is wrong, and when a quorum is met."""

from __future__ import annotations

import itertools

import pytest
from candor_generation.domain import note, policy
from candor_generation.domain.note import COSIGNATURE, Checkpoint, NoteError, Vkey
from candor_generation.domain.policy import Group, Log, Policy, PolicyError, UntrustedError, Witness
from candor_generation.signing import Signer, holds
from hypothesis import given
from hypothesis import strategies as st
from witness import Witness as Server

# The policy of a public key server, as its authors ship it.
PUBLIC = """\
log keyserver.geomys.org+16b31509+ARLJ+pmTj78HzTeBj04V+LVfB+GFAQyrg54CRIju7Nn8
witness TrustFabric transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM https://api.transparency.dev/dev/witness/little-garden/
witness Mullvad witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv https://witness.stagemole.eu/
witness Geomys witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G https://witness.navigli.sunlight.geomys.org/
group public 2 TrustFabric Mullvad Geomys
quorum public
"""


def key(number: int, kind: bytes = COSIGNATURE) -> str:
    return Vkey(f"w{number}.example", number.to_bytes(32, "big"), kind).text


def witnesses(*names: str) -> str:
    return "".join(f"witness {name} {key(number)}\n" for number, name in enumerate(names))


NESTED = (
    witnesses("X1", "X2", "X3", "Y1", "Y2", "Y3")
    + "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\ngroup X-and-Y all X-witnesses Y-witnesses\n"
    + "quorum X-and-Y\n"
)


@pytest.mark.clause("C2SP tlog-policy", "C2SP tlog-cosignature")
def test_tlog_policy_of_a_public_server() -> None:
    found = policy.parse_policy(PUBLIC.encode())
    assert [item.vkey.name for item in found.logs] == ["keyserver.geomys.org"]
    assert [item.name for item in found.witnesses] == ["TrustFabric", "Mullvad", "Geomys"]
    assert found.witnesses[1].url == "https://witness.stagemole.eu/"
    assert found.groups == (Group("public", 2, ("TrustFabric", "Mullvad", "Geomys")),)
    assert not policy.satisfied(found, {"Geomys"})
    assert not policy.satisfied(found, {"Geomys", "public", "none", "stranger"})
    assert policy.satisfied(found, {"Geomys", "Mullvad"})


@pytest.mark.clause("C2SP tlog-policy")
def test_tlog_policy_nested_groups_of_the_specification() -> None:
    found = policy.parse_policy(NESTED.encode())
    names = ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    for chosen in itertools.chain.from_iterable(itertools.combinations(names, count) for count in range(7)):
        expected = sum(name[0] == "X" for name in chosen) >= 2 and any(name[0] == "Y" for name in chosen)
        assert policy.satisfied(found, chosen) is expected, chosen


@pytest.mark.clause("C2SP tlog-policy")
def test_tlog_policy_white_space_comments_and_other_octets() -> None:
    text = (
        b"# a comment\r".replace(b"\r", b"")
        + b"\n  \t\n \t# another\nwitness\t caf\xe9 \t"
        + key(1).encode()
        + b"  https://w.example/\xff \nquorum caf\xe9"
    )
    found = policy.parse_policy(text)
    (witness,) = found.witnesses
    assert witness.name.encode("utf-8", "surrogateescape") == b"caf\xe9"
    assert policy.shown(witness.name) == "caf\\xe9"
    assert policy.satisfied(found, {witness.name})
    # Names are octets: a Kelvin sign is no K, and no case or form is folded.
    names = witnesses("K", "\u212a", "k")
    assert len(policy.parse_policy(f"{names}quorum K".encode()).witnesses) == 3


@pytest.mark.clause("C2SP tlog-policy")
def test_tlog_policy_without_witnesses() -> None:
    assert policy.parse_policy(b"quorum none") == Policy()
    assert policy.satisfied(Policy(), ())


NO_RULES = ("0", "3", "01", "-1", "ANY", "1.0", "٢", "9" * 30)


@pytest.mark.clause("C2SP tlog-policy")
@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", None, "no quorum"),
        (witnesses("a"), None, "no quorum"),
        ("quorum none\nquorum none\n", 2, "quorum before"),
        ("quorum a\n" + witnesses("a"), 1, "a is not defined before"),
        ("quorum\n", 1, "quorum line reads"),
        ("quorum none none\n", 1, "quorum line reads"),
        (witnesses("a", "a"), 2, "a is defined before"),
        (witnesses("none"), 1, "none is taken"),
        (witnesses("a") + "group a any a\n", 2, "a is defined before"),
        (witnesses("a") + "group none any a\n", 2, "none is taken"),
        (witnesses("a") + "group g any none\n", 2, "none is not defined before"),
        ("group g any g\nquorum g\n", 1, "g is not defined before"),
        (witnesses("a") + "group g any h\ngroup h any g\n", 2, "h is not defined before"),
        (witnesses("a", "b") + "group g 2 a a\n", 3, "a is in a group already"),
        (witnesses("a", "b") + "group g any a\ngroup h all b a\n", 4, "a is in a group already"),
        (witnesses("a") + "group g any\n", 2, "group line reads"),
        (witnesses("a") + "group g\n", 2, "group line reads"),
        *((witnesses("a", "b") + f"group g {rule} a b\n", 3, "all, any, or a number") for rule in NO_RULES),
        (f"log {key(1)}\n", 1, "type 1"),
        (f"witness a {key(1, note.ED25519)}\n", 1, "type 4"),
        (f"log {key(1, note.ED25519)} https://a b\n", 1, "log line reads"),
        ("witness a\n", 1, "witness line reads"),
        (f"log {key(1, note.ED25519)}\nlog {key(1, note.ED25519)}\n", 2, "another log's too"),
        (witnesses("a") + f"witness b {key(0).replace('w0', 'w0')}\n", 2, "another witness's too"),
        ("witness a x+00000000+BA==\n", 1, "type 4"),
        ("Quorum none\n", 1, "none of log"),
        ("quorum none # why\n", 1, "quorum line reads"),
        ("quorum none\r\n", 1, "control character"),
        ("quorum none\n# bell \x07\n", 2, "control character"),
        ("quorum\u00a0none\n", 1, "none of log"),
    ],
)  # fmt: skip
def test_tlog_policy_refused_with_line_and_reason(text: str, line: int | None, reason: str) -> None:
    with pytest.raises(PolicyError, match=reason) as refused:
        policy.parse_policy(text.encode())
    assert refused.value.line == line
    assert line is None or str(refused.value).startswith(f"line {line}: ")


def test_a_policy_is_bounded_and_holds_more_than_the_specification_asks_for() -> None:
    names = [f"w{number}" for number in range(policy.MAX_DEFINED)]
    assert len(policy.parse_policy(f"{witnesses(*names)}quorum w0".encode()).witnesses) == policy.MAX_DEFINED
    with pytest.raises(PolicyError, match="more than"):
        policy.parse_policy(f"{witnesses(*names, 'one')}quorum w0".encode())
    chain = "".join(f"group g{at} any g{at - 1}\n" for at in range(1, policy.MAX_DEFINED))
    found = policy.parse_policy(f"{witnesses('a')}group g0 any a\n{chain}quorum g{policy.MAX_DEFINED - 1}".encode())
    assert policy.satisfied(found, {"a"})
    with pytest.raises(PolicyError, match="not longer"):
        policy.parse_policy(b"#" * ((1 << 20) + 1))


_ITEM = st.sampled_from(
    [
        "log",
        "witness",
        "group",
        "quorum",
        "none",
        "any",
        "all",
        "1",
        "2",
        "a",
        "b",
        "g",
        "#",
        key(1),
        key(2),
        key(3, note.ED25519),
        "https://x",
    ]
)
_LINE = st.lists(_ITEM, max_size=6).map(" ".join)


@given(st.one_of(st.binary(), st.lists(_LINE, max_size=12).map(lambda lines: "\n".join(lines).encode())))
def test_whatever_is_read_as_a_policy_is_a_policy_or_refused(content: bytes) -> None:
    try:
        found = policy.parse_policy(content)
    except PolicyError:
        return
    everybody = {item.name for item in found.witnesses}
    assert policy.satisfied(found, everybody)
    assert policy.satisfied(found, ()) is (found.quorum is None)


@given(st.data())
def test_more_cosignatures_never_unmeet_a_quorum(data: st.DataObject) -> None:
    found = policy.parse_policy(NESTED.encode())
    names = sorted(item.name for item in found.witnesses)
    some = data.draw(st.sets(st.sampled_from(names)))
    more = some | data.draw(st.sets(st.sampled_from(names)))
    assert policy.satisfied(found, more) or not policy.satisfied(found, some)


def _cosigned(tmp: object, text: str, count: int) -> tuple[str, Policy]:
    signer = Signer("candor.example/log", bytes(32))
    servers = [Server(f"w{at}.example", bytes([at]) * 32, [], tmp, clock=1_700_000_000) for at in range(3)]  # type: ignore[arg-type]
    trust = Policy(
        (Log(signer.vkey),),
        tuple(Witness(f"w{at}", server.vkey) for at, server in enumerate(servers)),
        (Group("g", 2, ("w0", "w1", "w2")),),
        "g",
    )
    return signer.sign(text) + "".join(server.line(text) for server in servers[:count]), trust


@pytest.mark.clause("C2SP tlog-policy")
def test_a_checkpoint_needs_its_log_and_its_quorum(tmp_path: object) -> None:
    text = Checkpoint("candor.example/log", 3, bytes(32)).text
    signed, trust = _cosigned(tmp_path, text, 2)
    trusted = policy.check_checkpoint(signed, trust, holds)
    assert trusted.checkpoint.size == 3
    assert trusted.log == trust.logs[0].vkey
    assert {name: item.timestamp for name, item in trusted.cosigned.items()} == {
        "w0": 1_700_000_000,
        "w1": 1_700_000_000,
    }
    lonely, _ = _cosigned(tmp_path, text, 1)
    with pytest.raises(UntrustedError, match="g is not met: cosigned by w0"):
        policy.check_checkpoint(lonely, trust, holds)
    with pytest.raises(UntrustedError, match="no signature"):
        policy.check_checkpoint(signed, Policy(), holds)
    other, _ = _cosigned(tmp_path, Checkpoint("candor.example/other", 3, bytes(32)).text, 2)
    with pytest.raises(UntrustedError, match=r"of the log candor\.example/other"):
        policy.check_checkpoint(other, trust, holds)
    with pytest.raises(NoteError, match="does not hold"):
        policy.check_checkpoint(signed.replace("\n3\n", "\n4\n"), trust, holds)
