"""The texts of on-call's page, of live pages and of the incident file, in English and Chinese."""

from collections.abc import Mapping

ONCALL: Mapping[str, tuple[str, str]] = {
    # on-call's page
    "oncall.menu": ("On call", "值班"),
    "oncall.title": ("Running out", "即将到期的时限"),
    "oncall.count": ("Running clocks: {count}", "进行中的时限：{count}"),
    "oncall.next": ("Next:", "下一步："),
    "oncall.doubt": ("Started on a doubt; not known:", "存疑起算；尚不清楚："),
    "oncall.objective": ("our own objective: the law says at once", "内部目标：法律要求立即"),
    "oncall.not_yours": ("This step is for:", "此步骤由以下角色办理："),
    "oncall.more": ("More clocks run: all of them", "还有更多时限：查看全部"),
    "oncall.without": ("Open incidents without a clock", "尚无时限的未结事件"),
    # steps
    "step.acknowledge": ("Acknowledge the page", "确认收到呼叫"),
    "step.acknowledge.why": (
        "So that nobody else is woken. The legal clock runs on.",
        "以免再呼叫他人。法定时限继续计算。",
    ),
    "step.draft": ("Draft the report", "起草报告"),
    "step.draft.why": ("Written from what is known, in Chinese and English.", "根据已知事实以中英文起草。"),
    "step.complete": ("Tell what is missing", "补充缺失信息"),
    "step.complete.why": (
        "The report still lacks this. Leave empty what nobody knows yet.",
        "报告尚缺以下内容。尚不清楚的请留空。",
    ),
    "step.complete.button": ("Record and draft again", "记录并重新起草"),
    "step.complete.as_it_is": ("It was sent as it is", "已按现状报送"),
    "step.approve": ("Approve the report", "批准报告"),
    "step.approve.why": (
        "Another person than who wrote it reads and approves it before it is sent.",
        "报送前须由起草人以外的人审阅并批准。",
    ),
    "step.approve.button": ("I have read revision {revision}: approve", "已审阅第 {revision} 版，批准"),
    "step.approve.cannot_wait": ("It cannot wait for an approval", "无法等待批准"),
    "draft.approved": ("Approved by {name}", "已由 {name} 批准"),
    "draft.written_by": ("written by {name}", "起草人：{name}"),
    "field.unapproved_reason": ("Why it could not wait for an approval", "未经批准即报送的原因"),
    "done.approved": ("The report is approved.", "报告已批准。"),
    "done.proposed": (
        "Proposed. The clock runs on until the colleague you named, or another officer, approves.",
        "已提议。在您指定的同事或其他负责人批准之前，时限继续计算。",
    ),
    "decision.proposed": ("{name} proposed not to report", "{name} 提议不予报告"),
    "refusal.NOT_APPROVED": (
        "Nobody has approved this revision. Have it approved, or say why it cannot wait.",
        "该版尚未获批准。请先批准，或说明无法等待的原因。",
    ),
    "refusal.SUPERSEDED": (
        "There is a later revision. Read that one and approve it.",
        "已有更新的版本。请审阅并批准该版。",
    ),
    "step.submit": ("Send it, then record the submission", "报送后登记"),
    "step.submit.why": (
        "Send the draft to the authority first; then say here when and how.",
        "请先向主管部门报送草稿，再在此登记时间与渠道。",
    ),
    "step.receipt": ("Record the receipt", "登记回执"),
    "step.receipt.why": ("Only the authority's receipt stops the clock.", "仅主管部门的回执可停止时限。"),
    "done.acknowledged_before": (
        "This page had been acknowledged already; nothing was left to do.",
        "此呼叫此前已被确认，无需再操作。",
    ),
    "done.completed": ("It is recorded, and the report is drafted again.", "已记录，报告已重新起草。"),
    "field.facts": ("what is missing", "缺失信息"),
    # refusals, and what to do
    "refusal.CLOCK_STOPPED": (
        "This clock was stopped meanwhile: a receipt or a decision is on record. Nothing is left to do here.",
        "该时限已停止：已登记回执或决定。此处无需再操作。",
    ),
    "refusal.INCIDENT_CLOSED": (
        "This incident was closed meanwhile. If something new has happened, report a new one.",
        "该事件已结束。如有新情况，请另行报告。",
    ),
    "refusal.DRAFT_UNKNOWN": (
        "There is no such draft. Look at the latest revision below and send that one.",
        "没有该草稿。请查看下方最新版本并报送该版。",
    ),
    "refusal.TIME_IN_FUTURE": (
        "That time is still to come. Times are UTC: check the field and send it again.",
        "该时间尚未到来。时间为 UTC，请核对后重新提交。",
    ),
    "refusal.SAME_PERSON": (
        "Another person approves than the one who decides. Name a colleague who has approved.",
        "批准人与决定人不得为同一人。请填写已批准的同事。",
    ),
    "refusal.PAGE_UNKNOWN": ("There is no such page. Load this page again.", "没有该呼叫记录。请重新加载本页。"),
    "refusal.SUBMISSION_UNKNOWN": (
        "There is no such submission. Load this page again.",
        "没有该报送记录。请重新加载本页。",
    ),
    "problem.expired": ("Your session has ended", "会话已结束"),
    "problem.expired_text": (
        "What you sent was not recorded. Sign in, and do it again.",
        "您提交的内容未被记录。请登录后重新操作。",
    ),
    "signin.expired": (
        "Your session had ended; what you sent was not recorded. Sign in, and do it again.",
        "会话已结束，您提交的内容未被记录。请登录后重新操作。",
    ),
    # live pages
    "live.on": ("Live", "实时更新中"),
    "live.again": (
        "Not live: connecting again. This is as of the time at the foot.",
        "未实时：正在重新连接。数据截至页脚所示时间。",
    ),
    "live.away": (
        "Not live: a service is not answering. This is as of the time at the foot.",
        "未实时：服务没有应答。数据截至页脚所示时间。",
    ),
    "live.out": ("Your session has ended. This is as of the time at the foot.", "会话已结束。数据截至页脚所示时间。"),
    "say.new": ("New clock: {name}, {left}", "新时限：{name}，{left}"),
    "say.overdue": ("Overdue: {name}", "逾期：{name}"),
    "say.acknowledged": ("Acknowledged: {name}", "已确认：{name}"),
    # the incident file
    "file.open": ("Incident file", "事件档案"),
    "file.title": ("Incident file", "事件档案"),
    "file.incident": ("Incident", "事件"),
    "file.zone": ("Times", "时间"),
    "file.other_zone": ("Local time of", "当地时区"),
    "file.change": ("Change", "更改"),
    "file.proofs": ("Proofs", "证明"),
    "file.proved_of": ("{proved} of {acts} acts are proved by the log", "{acts} 项操作中 {proved} 项已由日志证明"),
    "file.proofs_not_yours": ("For auditor and privacy officer", "供审计与个人信息保护负责人查看"),
    "file.download": ("Download the proofs", "下载证明文件"),
    "file.viewed": ("Reading proofs is on record as a view by {name}.", "读取证明已记录为 {name} 的查看。"),
    "file.computed": (
        (
            "“Proved”: the path from the act to the log's checkpoint was computed here. With the files and the log's "
            "key anybody can check it, and the signature, without us: candor verify FILE --vkey KEY."
        ),
        (
            "“已证明”：此处已计算从该操作到日志检查点的路径。凭文件和日志公钥，任何人均可独立核对路径与签名："
            "candor verify FILE --vkey KEY。"
        ),
    ),
    "file.record": ("The record, in order", "按时间顺序的记录"),
    "file.no_acts": ("No act of this incident is on record.", "没有该事件的操作记录。"),
    "file.fact": ("Act", "操作编号"),
    "file.index": ("log index {index}", "日志序号 {index}"),
    "file.unopened": ("its content is no longer readable", "内容已不可读取"),
    "file.drafts": ("Drafts, word for word", "报告草稿全文"),
    "file.next_part": ("Next part of the file", "档案下一部分"),
    "file.readme": (
        (
            "Acts: {acts}. Each file in proofs/ proves one act. Check it with the verifier key of the log it names, "
            "which you should have from elsewhere than from here:\n\n"
            "  candor verify proofs/FILE.json --vkey KEY\n\nThe logs: {log}\n"
            "acts.json lists the acts in order; incident.json is the incident as it stood.\n"
        ),
        (
            "操作数：{acts}。proofs/ 中每个文件证明一项操作。"
            "请使用其所属日志的验证公钥核对（公钥应从其他途径获得）：\n\n"
            "  candor verify proofs/FILE.json --vkey KEY\n\n日志：{log}\n"
            "acts.json 按顺序列出操作；incident.json 为事件当时的状态。\n"
        ),
    ),
    "proof.proved": ("proved by the log", "日志已证明"),
    "proof.not_yet": ("not yet in the log", "尚未进入日志"),
    "proof.away": ("the log does not answer", "日志没有应答"),
    "proof.wrong": ("the log's answer does NOT prove it", "日志的答复未能证明"),
    "entry.signal": ("Signal", "信号"),
    "entry.anchor": ("Instant that the law counts from:", "法定起算时点："),
    "entry.fact": ("Known:", "已知事实："),
    "act.IncidentOpened": ("Incident opened", "事件开启"),
    "act.IncidentClosed": ("Incident closed", "事件结束"),
    "act.ClockStarted": ("Clock started or counted anew", "时限起算或重新计算"),
    "act.ClockStopped": ("Clock stopped", "时限停止"),
    "act.MilestoneReached": ("Milestone reached", "到达时限节点"),
    "act.PageSent": ("Page sent", "呼叫已发送"),
    "act.PageAcknowledged": ("Page acknowledged", "呼叫已确认"),
    "act.PageEscalated": ("Page moved on to the next person", "呼叫已转至下一人"),
    "act.ReportDrafted": ("Report drafted", "报告已起草"),
    "act.ReportSubmitted": ("Report sent to the authority", "报告已报送"),
    "act.ReceiptRecorded": ("Receipt recorded", "回执已登记"),
    "act.NotReportingDecided": ("Decided not to report", "决定不报告"),
    "act.DrillStarted": ("Drill started", "演练开始"),
    "act.DrillEnded": ("Drill ended", "演练结束"),
    # drills
    "drill.mark": ("DRILL", "演练"),
    "drill.note": (
        "Nothing has happened. Send nothing, call nobody; record each step as if it were done.",
        "没有发生任何事件。不要报送，不要拨打电话；按实际流程逐步登记即可。",
    ),
    "told.drill": ("drill", "演练"),
    "told.scenario": ("scenario", "场景"),
    "told.started_at": ("started", "开始时间"),
    "told.started_by": ("started by", "发起人"),
    "told.ended_at": ("ended", "结束时间"),
    "told.ended_by": ("ended by", "结束人"),
    "told.seconds": ("seconds after the signal", "信号后的秒数"),
    "told.seconds_left": ("seconds left", "剩余秒数"),
    "told.punctuality": ("in time", "是否及时"),
    "told.not_done": ("not done", "未完成"),
    "told.at": ("instant", "时点"),
    "told.value": ("value", "值"),
    "told.corrects": ("instead of", "更正前"),
    "told.evidence": ("shown by", "依据"),
    "told.source": ("source", "来源"),
    "told.clock_id": ("clock", "时限编号"),
    "told.page_id": ("page", "呼叫编号"),
    "told.citation": ("clause", "条款"),
    "told.recipient": ("recipient", "报送对象"),
    "told.strict_due": ("work to", "内部截止"),
    "told.legal_latest": ("legal latest", "法定最迟"),
    "told.due_at": ("due", "到期"),
    "told.reached_at": ("reached", "到达时间"),
    "told.sent_at": ("sent", "发送时间"),
    "told.contact": ("person", "人员"),
    "told.level": ("level", "级别"),
    "told.delivered": ("delivered", "已送达"),
    "told.provider_answer": ("channel's answer", "渠道答复"),
    "told.acknowledged_at": ("acknowledged", "确认时间"),
    "told.revision": ("revision", "版本"),
    "told.missing": ("still missing", "仍缺"),
    "told.channel": ("channel", "渠道"),
    "told.submitted_by": ("sent by", "报送人"),
    "told.submitted_at": ("sent", "报送时间"),
    "told.reference": ("the authority's reference", "主管部门编号"),
    "told.received_at": ("received", "收到时间"),
    "told.recorded_by": ("recorded by", "登记人"),
    "told.sha256": ("SHA-256", "SHA-256"),
    "told.proof_sha256": ("SHA-256 of the proof", "凭证的 SHA-256"),
    "told.reason": ("reason", "理由"),
    "told.decided_by": ("decided by", "决定人"),
    "told.approved_by": ("approved by", "批准人"),
    "told.state": ("state", "状态"),
    "told.stopped_at": ("stopped", "停止时间"),
    "told.kind": ("kind", "类型"),
    "told.title": ("title", "标题"),
    "told.opened_at": ("opened", "开启时间"),
    "told.closed_at": ("closed", "结束时间"),
}
