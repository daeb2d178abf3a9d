// Checks a proof of the generation log in the browser alone: C2SP tlog-proof, signed-note, tlog-cosignature, tlog-policy,
// RFC 9162 2.1.3.2. Nothing is sent anywhere. The same file is part of the page that can be saved and opened without us.
(() => {
  "use strict";

  const TEXTS = {
    en: {
      vkey: "Verification key", policy: "Witness policy", file: "Proof", checkpoint: "Checkpoint", inclusion: "Inclusion",
      witnesses: "Witnesses", opening: "Opening", index: "Index", size: "Leaves", root: "Root", origin: "Log", leaf: "Leaf hash",
      ok: "holds", failed: "does not hold", none: "not checked", verified: "Everything holds.", refused: "It does not hold.",
      unknown: "unknown key, ignored", signer: "log", at: "at", same: "is what the entry commits to", other: "is not what the entry commits to",
      signedBy: "signed by {name}", inTree: "entry {index} is in the tree of {size}", quorumMet: "quorum {name} is met", noQuorum: "no quorum asked for",
      erased: "nothing is opened, as for an erased record", raw: "{count} bytes that are no JSON", entry: "Entry", signatures: "Signatures",
      insecure: "This browser gives no cryptography to this page: open it over https, from localhost, or save it and open the file.",
      noEd25519: "This browser knows no Ed25519. Chromium does since 137, Firefox since 129, Safari since 17; or use candor verify.",
      need: "Paste a proof and the verification key first.", named: "{count} named",
    },
    zh: {
      vkey: "验证公钥", policy: "见证策略", file: "证明", checkpoint: "检查点", inclusion: "包含证明",
      witnesses: "见证方", opening: "承诺打开", index: "序号", size: "叶子数", root: "根哈希", origin: "日志", leaf: "叶哈希",
      ok: "成立", failed: "不成立", none: "未验证", verified: "全部成立。", refused: "不成立。",
      unknown: "未知密钥，已忽略", signer: "日志", at: "时间", same: "与日志条目的承诺一致", other: "与日志条目的承诺不一致",
      signedBy: "由 {name} 签名", inTree: "条目 {index} 位于 {size} 片叶子的树中", quorumMet: "已满足法定数 {name}", noQuorum: "未要求法定数",
      erased: "未打开任何内容，如同记录已删除", raw: "{count} 字节，不是 JSON", entry: "日志条目", signatures: "签名",
      insecure: "浏览器未向本页提供密码学功能：请通过 https 或 localhost 打开，或保存后打开文件。",
      noEd25519: "此浏览器不支持 Ed25519（Chromium 137、Firefox 129、Safari 17 起支持）；也可使用 candor verify。",
      need: "请先粘贴证明和验证公钥。", named: "列出 {count} 个",
    },
  };
  const words = TEXTS[document.documentElement.lang.startsWith("zh") ? "zh" : "en"];
  const say = (key, fields = {}) => words[key].replace(/\{(\w+)\}/g, (_, name) => String(fields[name]));

  class Wrong extends Error {}
  const demand = (holds, message) => { if (!holds) throw new Wrong(message); };

  // --- octets ---------------------------------------------------------------------------------------------------
  const utf8 = (text) => new TextEncoder().encode(text);
  const join = (...parts) => {
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) { all.set(part, at); at += part.length; }
    return all;
  };
  const toHex = (bytes) => [...bytes].map((octet) => octet.toString(16).padStart(2, "0")).join("");
  const fromHex = (text) => {
    demand(/^(?:[0-9a-f]{2})*$/i.test(text), "what should be hexadecimal is not");
    return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
  };
  const toBase64 = (bytes) => btoa(Array.from(bytes, (octet) => String.fromCharCode(octet)).join(""));
  const fromBase64 = (text) => {
    demand(/^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0, "what should be base64 is not");
    let bytes;
    try {
      bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    } catch {
      throw new Wrong("what should be base64 is not");
    }
    demand(toBase64(bytes) === text, "what should be base64 is not in its one canonical form");
    return bytes;
  };
  const equal = (one, two) => one.length === two.length && one.every((octet, at) => octet === two[at]);
  const number = (text, message) => {
    demand(/^(?:0|[1-9][0-9]{0,18})$/.test(text), message);
    return BigInt(text);
  };

  // --- cryptography: the browser's own --------------------------------------------------------------------------
  const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
  const leafHash = (entry) => sha256(Uint8Array.of(0), entry);
  const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);
  const hmac = async (secret, message) => {
    const key = await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
  };
  const holds = async (publicKey, message, signature) => {
    if (signature.length !== 64) return false;
    let key;
    try {
      key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
    } catch (error) {
      if (error.name === "NotSupportedError") throw new Wrong(words.noEd25519);
      return false;
    }
    return crypto.subtle.verify("Ed25519", key, signature, message);
  };

  // --- keys, notes, checkpoints (C2SP signed-note, tlog-checkpoint) ---------------------------------------------
  const LOG = 1;
  const WITNESS = 4;

  const parseVkey = async (text, kind) => {
    const parts = /^([^+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim());
    demand(parts, "a key reads <name>+<8 hex digits>+<base64>");
    demand(!/[\s\u0000-\u001f]/.test(parts[1]), "a key name holds no space");
    const typed = fromBase64(parts[3]);
    demand(typed.length === 33 && typed[0] === kind, `only Ed25519 keys of type ${kind} are taken here`);
    const id = toHex((await sha256(utf8(`${parts[1]}\n`), typed)).slice(0, 4));
    demand(id === parts[2], "the key's id is not the id of its key");
    return { name: parts[1], id, publicKey: typed.slice(1) };
  };

  const parseNote = (signed) => {
    demand(!/[\u0000-\u0009\u000b-\u001f]/.test(signed), "a note holds no control characters");
    const blank = signed.lastIndexOf("\n\n");
    demand(blank >= 0 && signed.endsWith("\n") && blank + 2 < signed.length, "a note ends in a blank line and signature lines");
    const lines = signed.slice(blank + 2, -1).split("\n");
    return { text: signed.slice(0, blank + 1), signatures: lines.map(parseSignature) };
  };

  const parseSignature = (line) => {
    const parts = /^\u2014 (\S+) (\S+)$/.exec(line);
    demand(parts && !parts[1].includes("+"), "a signature line reads <em dash> <key name> <base64>");
    const blob = fromBase64(parts[2]);
    demand(blob.length > 4, "a signature line holds a key id and a signature");
    return { name: parts[1], id: toHex(blob.slice(0, 4)), blob: blob.slice(4) };
  };

  const parseCheckpoint = (text) => {
    const lines = text.slice(0, -1).split("\n");
    demand(lines.length >= 3 && lines.every(Boolean), "a checkpoint has the lines origin, size and root");
    const root = fromBase64(lines[2]);
    demand(root.length === 32, "a checkpoint's root is 32 bytes");
    return { origin: lines[0], size: number(lines[1], "a checkpoint's size is a decimal number"), root };
  };

  const isOf = (vkey) => (signature) => signature.name === vkey.name && signature.id === vkey.id;

  // --- cosignatures and policy (C2SP tlog-cosignature, tlog-policy) ---------------------------------------------
  const cosignedAt = async (note, vkey) => {
    let latest = null;
    for (const { blob } of note.signatures.filter(isOf(vkey))) {
      demand(blob.length === 72, `a cosignature of ${vkey.name} is not 72 bytes long`);
      const time = new DataView(blob.buffer, blob.byteOffset).getBigUint64(0);
      demand(time < 2n ** 63n, `the time of a cosignature of ${vkey.name} is beyond what is allowed`);
      const message = utf8(`cosignature/v1\ntime ${time}\n${note.text}`);
      demand(await holds(vkey.publicKey, message, blob.slice(8)), `the cosignature of ${vkey.name} does not hold`);
      if (latest === null || time > latest) latest = time;
    }
    return latest;
  };

  // Bare witness keys, one a line, are taken too: then it is shown who cosigned, and no quorum is asked for.
  const parsePolicy = async (text) => {
    const policy = { witnesses: [], groups: [], quorum: null, keys: new Set() };
    const names = new Set();
    const members = new Set();
    let quorums = 0;
    const define = (name) => {
      demand(name && name !== "none" && !names.has(name), `${name} is defined before`);
      names.add(name);
    };
    const readers = {
      log: async ([vkey]) => { await parseVkey(vkey || "", LOG); },
      witness: async ([name, vkey]) => {
        const key = await parseVkey(vkey || "", WITNESS);
        demand(!policy.keys.has(toHex(key.publicKey)), `the public key of ${key.name} is another witness's too`);
        policy.keys.add(toHex(key.publicKey));
        define(name);
        policy.witnesses.push({ name, vkey: key });
      },
      group: async ([name, rule, ...listed]) => {
        demand(listed.length > 0, "a group line reads: group <name> all|any|<k> <name>...");
        for (const member of listed) {
          demand(names.has(member), `${member} is not defined before`);
          demand(!members.has(member), `${member} is in a group already`);
          members.add(member);
        }
        const rules = { all: listed.length, any: 1 };
        const threshold = Object.hasOwn(rules, rule) ? rules[rule] : Number(/^[1-9][0-9]{0,8}$/.test(rule) ? rule : 0);
        demand(threshold >= 1 && threshold <= listed.length, "a group asks for all, any, or a number of its members");
        define(name);
        policy.groups.push({ name, threshold, members: listed });
      },
      quorum: async (items) => {
        demand(items.length === 1 && (items[0] === "none" || names.has(items[0])), `${items.join(" ")} is not defined before`);
        demand(quorums++ === 0, "there is a quorum before");
        policy.quorum = items[0] === "none" ? null : items[0];
      },
    };
    let needsQuorum = false;
    for (const [at, line] of text.split("\n").entries()) {
      const items = line.replace(/\r$/, "").split(/[ \t]+/).filter(Boolean);
      if (!items.length || items[0].startsWith("#")) continue;
      try {
        if (Object.hasOwn(readers, items[0])) {
          needsQuorum = true;
          await readers[items[0]](items.slice(1));
        } else {
          demand(items.length === 1 && items[0].includes("+"), `${items[0]} is none of log, witness, group and quorum`);
          const key = await parseVkey(items[0], WITNESS);
          await readers.witness([key.name, items[0]]);
        }
      } catch (error) {
        throw error instanceof Wrong ? new Wrong(`${at + 1}: ${error.message}`) : error;
      }
    }
    demand(!needsQuorum || quorums === 1, "there is no quorum line");
    return policy;
  };

  const satisfied = (policy, cosigned) => {
    const met = new Set(cosigned);
    for (const group of policy.groups) {
      if (group.members.filter((member) => met.has(member)).length >= group.threshold) met.add(group.name);
    }
    return policy.quorum === null || met.has(policy.quorum);
  };

  // --- proof (C2SP tlog-proof) or evidence (what GetEvidence and GetActEvidence answer, as JSON) ----------------
  const HEADER = "c2sp.org/tlog-proof@v1";

  const parseProof = (text) => {
    const blank = text.indexOf("\n\n");
    demand(blank > 0, "a proof has an empty line before its checkpoint");
    const lines = text.slice(0, blank).split("\n");
    demand(lines.shift() === HEADER, `a proof begins with ${HEADER}`);
    demand(lines[0]?.startsWith("extra "), "the proof carries no entry as its extra data");
    const entry = fromBase64(lines.shift().slice("extra ".length));
    const index = /^index (.*)$/.exec(lines.shift() ?? "");
    demand(index, "a proof has a line: index <number>");
    return { entry, index: number(index[1], "a proof has a line: index <number>"), hashes: lines.map(hashOf), checkpoint: text.slice(blank + 2) };
  };

  const hashOf = (text) => {
    const hash = fromBase64(text);
    demand(hash.length === 32, "the hashes of a proof are 32 bytes");
    return hash;
  };

  const parseEvidence = (text) => {
    let told;
    try {
      told = JSON.parse(text);
    } catch {
      throw new Wrong("this is neither a proof file nor the JSON of GetEvidence or GetActEvidence");
    }
    demand(told && typeof told === "object", "this is neither a proof file nor the JSON of GetEvidence or GetActEvidence");
    const field = (camel, snake, otherwise) => told[camel] ?? told[snake] ?? otherwise;
    const opening = told.opening;
    const actKey = String(field("commitmentKey", "commitment_key", ""));
    return {
      origin: String(told.origin ?? ""),
      entry: fromBase64(String(told.entry ?? "")),
      index: number(String(field("logIndex", "log_index", "0")), "the evidence's index is a number"),
      hashes: field("inclusionProof", "inclusion_proof", []).map((item) => hashOf(String(item))),
      checkpoint: String(told.checkpoint ?? ""),
      opening: opening && {
        key: fromBase64(String(opening.commitmentKey ?? opening.commitment_key ?? "")),
        values: { subject: opening.subject ?? "", prompt: opening.prompt ?? "", output: opening.output ?? "" },
      },
      act: actKey && { key: fromBase64(actKey), fact: fromBase64(String(told.fact ?? "")) },
    };
  };

  const parseFile = (text) => (text.startsWith("c2sp.org/") ? parseProof(text) : parseEvidence(text));

  // --- inclusion (RFC 9162 2.1.3.2; the steps have the RFC's numbers) -------------------------------------------
  const rootOf = async (index, size, leaf, proof) => {
    demand(index < size, `entry ${index} is not in a tree of ${size}`); // 1.
    let fn = index; // 2.
    let sn = size - 1n;
    let hash = leaf; // 3.
    for (const sibling of proof) { // 4.
      demand(sn !== 0n, "the proof is too long");
      if (fn & 1n || fn === sn) {
        hash = await nodeHash(sibling, hash);
        while (!(fn & 1n) && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
      } else {
        hash = await nodeHash(hash, sibling);
      }
      fn >>= 1n;
      sn >>= 1n;
    }
    demand(sn === 0n, "the proof is too short"); // 5.
    return hash;
  };

  // --- one check after the other; after one that fails none follows ---------------------------------------------
  const verify = async (given) => {
    const report = { checks: [], facts: [], signers: [], entry: null };
    const step = async (name, work, detail) => {
      try {
        const found = await work();
        report.checks.push({ name, ok: true, done: found !== null, detail: detail(found) });
        return found;
      } catch (error) {
        if (!(error instanceof Wrong)) throw error;
        report.checks.push({ name, ok: false, detail: error.message });
        throw error;
      }
    };
    try {
      await steps(given, report, step);
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
    }
    return report;
  };

  const steps = async (given, report, step) => {
    const vkey = await step("vkey", () => parseVkey(given.vkey, LOG), (key) => `${key.name}+${key.id}`);
    const policy = await step("policy", () => parsePolicy(given.policy), (found) => say("named", { count: found.witnesses.length }));
    const file = await step("file", () => parseFile(given.file), (found) => (
      given.file.startsWith(HEADER) ? HEADER : isAct(found.entry) ? "GetActEvidence" : "GetEvidence"
    ));
    report.entry = file.entry;
    let note;
    const checkpoint = await step("checkpoint", async () => {
      note = parseNote(file.checkpoint);
      const own = note.signatures.filter(isOf(vkey));
      demand(own.length > 0, `the checkpoint carries no signature of ${vkey.name}+${vkey.id}`);
      for (const { blob } of own) demand(await holds(vkey.publicKey, utf8(note.text), blob), `the signature of ${vkey.name} does not hold`);
      const found = parseCheckpoint(note.text);
      demand(found.origin === vkey.name, `the checkpoint is of the log ${found.origin}, not of ${vkey.name}`);
      demand(!file.origin || file.origin === found.origin, `the evidence is of the log ${file.origin}, the checkpoint of ${found.origin}`);
      return found;
    }, (found) => say("signedBy", { name: found.origin }));
    report.facts = [["origin", checkpoint.origin], ["index", file.index], ["size", checkpoint.size], ["root", toHex(checkpoint.root)], ["leaf", toHex(await leafHash(file.entry))]];
    await step("witnesses", () => witnessed(note, vkey, policy, report), (quorum) => (
      quorum === null ? words.noQuorum : say("quorumMet", { name: quorum })
    ));
    await step("inclusion", async () => {
      const root = await rootOf(file.index, checkpoint.size, await leafHash(file.entry), file.hashes);
      demand(equal(root, checkpoint.root), "the inclusion proof leads to another root");
    }, () => say("inTree", { index: file.index, size: checkpoint.size }));
    await step("opening", () => opened(file, given.opening ?? file.opening), (found) => found ?? words.erased);
  };

  const witnessed = async (note, vkey, policy, report) => {
    const times = new Map();
    for (const witness of policy.witnesses) {
      const time = await cosignedAt(note, witness.vkey);
      if (time !== null) times.set(witness.name, time);
    }
    for (const signature of note.signatures) {
      const witness = policy.witnesses.find((item) => isOf(item.vkey)(signature));
      const known = isOf(vkey)(signature) ? words.signer : witness ? `${witness.name} ${words.at} ${moment(times.get(witness.name))}` : words.unknown;
      report.signers.push([`${signature.name}+${signature.id}`, known]);
    }
    demand(satisfied(policy, times.keys()), `${policy.quorum}: ${[...times.keys()].join(", ") || "-"}`);
    return policy.quorum;
  };

  const moment = (seconds) => (seconds < 253402300800n ? new Date(Number(seconds) * 1000).toISOString().replace(".000", "") : `${seconds} s`);

  // An act's entry commits to a fact of a service: to its type, a zero byte, and its bytes.
  const isAct = (entry) => fieldsOf(entry)?.kind === "act";

  const openedAct = async ({ entry, act }) => {
    const { type, commitment } = fieldsOf(entry);
    const recomputed = await hmac(act.key, join(utf8(String(type)), Uint8Array.of(0), act.fact));
    demand(equal(recomputed, fromHex(String(commitment))), `${type} ${words.other}`);
    return `${type} ${words.same}`;
  };

  const opened = async (file, opening) => {
    if (file.act) {
      demand(isAct(file.entry), "the evidence opens an act, and the entry is of none");
      return openedAct(file);
    }
    if (!opening) return null;
    const commitments = fieldsOf(file.entry)?.commitments;
    demand(commitments && typeof commitments === "object", "the entry holds no commitments");
    const told = [];
    for (const [field, value] of Object.entries(opening.values)) {
      if (!Object.hasOwn(commitments, field)) continue;
      const recomputed = await hmac(opening.key, join(utf8(field), Uint8Array.of(0), utf8(value)));
      const same = equal(recomputed, fromHex(String(commitments[field])));
      demand(same, `${field} ${words.other}`);
      told.push(field);
    }
    demand(told.length > 0, "the entry holds no commitments");
    return `${told.join(", ")} ${words.same}`;
  };

  const fieldsOf = (entry) => {
    try {
      const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(entry));
      return value && typeof value === "object" ? value : null;
    } catch {
      return null;
    }
  };

  // --- the page -------------------------------------------------------------------------------------------------
  const byId = (id) => document.getElementById(id);
  const make = (tag, className, ...children) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...children);
    return element;
  };
  const code = (text) => make("code", "", text);

  const read = () => {
    const key = byId("verify-opening-key").value.trim();
    const values = Object.fromEntries(["subject", "prompt", "output"].map((name) => [name, byId(`verify-opening-${name}`).value]));
    return {
      // What is copied often loses its last line feed, or gains some.
      file: byId("verify-proof").value.trimStart().replace(/\n*$/, "\n"),
      vkey: byId("verify-key").value,
      policy: byId("verify-policy").value,
      opening: key ? { key: /^[0-9a-f]{64}$/i.test(key) ? fromHex(key) : fromBase64(key), values } : null,
    };
  };

  const rows = (pairs) => make("dl", "facts", ...pairs.map(([name, value]) => make("div", "", make("dt", "", name), make("dd", "", code(value)))));

  const flat = (value, prefix = "") => Object.entries(value).flatMap(([name, item]) => (
    item && typeof item === "object" ? flat(item, `${prefix}${name}.`) : [[`${prefix}${name}`, String(item)]]
  ));

  const draw = (report) => {
    const all = report.checks.every((check) => check.ok);
    const parts = [make("p", `note note--${all ? "done" : "refused"}`, make("strong", "", all ? words.verified : words.refused))];
    parts.push(make("ol", "rows", ...report.checks.map((check) => {
      const [look, word] = check.ok ? (check.done ? ["state--done", words.ok] : ["", words.none]) : ["state--spread", words.failed];
      const row = make("li", "", make("strong", "", words[check.name]), make("span", "", code(check.detail)), make("span", `state ${look}`, word));
      row.dataset.check = check.name;
      row.dataset.holds = String(check.ok);
      return row;
    })));
    parts.push(rows(report.facts.map(([name, value]) => [words[name], String(value)])));
    if (report.signers.length) parts.push(make("h2", "", words.signatures), rows(report.signers));
    if (all) {  // an entry that is not proven is not shown
      const fields = fieldsOf(report.entry);
      parts.push(make("h2", "", words.entry), fields ? rows(flat(fields)) : make("p", "", say("raw", { count: report.entry.length })));
    }
    return parts;
  };

  const show = (...parts) => byId("verify-result").replaceChildren(...parts);
  const refuse = (message) => show(make("p", "note note--refused", message));

  const check = async () => {
    if (!globalThis.crypto?.subtle) { refuse(words.insecure); return; }
    try {
      const given = read();
      if (!given.file.trim() || !given.vkey.trim()) { refuse(words.need); return; }
      show(...draw(await verify(given)));
    } catch (error) {
      if (!(error instanceof Wrong)) throw error;
      refuse(error.message);
    }
  };

  const take = async (file) => {
    if (file.size > 1 << 20) { refuse(`${file.name}: ${file.size}`); return; }
    byId("verify-proof").value = await file.text();
    if (byId("verify-key").value.trim()) await check();
  };

  const drop = byId("verify");
  drop.addEventListener("dragover", (event) => event.preventDefault());
  drop.addEventListener("drop", (event) => {
    const [file] = event.dataTransfer.files;
    if (!file) return;
    event.preventDefault();
    take(file);
  });
  byId("verify-file").addEventListener("change", (event) => { if (event.target.files[0]) take(event.target.files[0]); });
  byId("verify-check").addEventListener("click", check);
  byId("verify").hidden = false;
})();
