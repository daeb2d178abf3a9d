"""Records out of OpenTelemetry: a backend that is already instrumented changes one endpoint.

A span of a call to a model becomes a `RecordRequest`, in whichever of these dialects its content is told:

1. events until semantic conventions 1.36: `gen_ai.user.message`, `gen_ai.choice` and their like, as log records (named
   by `event_name` or by the attribute `event.name`) or as events of the span; before 1.28 `gen_ai.content.prompt` and
   `gen_ai.content.completion`;
2. OpenLLMetry until 0.52: attributes `gen_ai.prompt.N.*` and `gen_ai.completion.N.*`;
3. the current conventions: `gen_ai.input.messages`, `gen_ai.output.messages`, `gen_ai.system_instructions`, as JSON
   text or structured, on the span or on the event `gen_ai.client.inference.operation.details`;
4. OpenInference: `llm.input_messages.N.message.*`, `llm.output_messages.N.message.*`.

A span that carries its own content is recorded before its export is answered. Content that comes apart from its span,
as log records do, is stored before its export is answered and joined afterwards (`buffer`, `joiner`): what was answered
with success is recorded, or set aside with a reason for a week.

Spans and events that tell of no generation (embeddings, tools, agents, web requests) are accepted and ignored.
"""
