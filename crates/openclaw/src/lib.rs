//! The `OpenClaw` gateway as we see it from outside.
//!
//! Four rooms: [`ws`] speaks protocol 4 to a running gateway, [`http`] asks its two health pages,
//! [`document`] renders and keeps its configuration, [`engine`] installs the program itself. None of
//! them knows a business noun: no users, no providers, no organizations. A gateway is reached only
//! through a [`dial::Dialer`], so this crate does not care on which runtime it lives.
//!
//! # What a gateway asks of the broker
//!
//! Measured with the pinned engine against a recording server, one turn per wire. `{base}` is
//! [`document::BrokerEndpoint::base_url`], the model id is the alias.
//!
//! | Wire | Configured `baseUrl` | Request | Credential header |
//! |---|---|---|---|
//! | `openai_completions` | `{base}/llm/openai/v1` | `POST {base}/llm/openai/v1/chat/completions` | `authorization: Bearer <instance token>` |
//! | `openai_responses` | `{base}/llm/responses/v1` | `POST {base}/llm/responses/v1/responses` | `authorization: Bearer <instance token>` |
//! | `anthropic_messages` | `{base}/llm/anthropic` | `POST {base}/llm/anthropic/v1/messages` | `x-api-key: <instance token>` |
//! | `google_generative_ai` | `{base}/llm/google/v1beta` | `POST {base}/llm/google/v1beta/models/{alias}:streamGenerateContent?alt=sse` | `x-goog-api-key: <instance token>` |
//!
//! All four stream. Each request carries a `traceparent`; the Anthropic wire also
//! `anthropic-version: 2023-06-01`; the `OpenAI` wires `x-stainless-retry-count`. The completions wire asks
//! for `stream_options.include_usage` and sends `max_completion_tokens`; the responses wire sends
//! `store: false`. A turn over the `coding` profile is about 40 KB.
//!
//! # How a person's words arrive there
//!
//! The last two messages have the role `user`. The second to last is the person's text after a bracketed
//! time, `[Sat 2026-11-21 10:27 UTC] words`; the first turn of a session adds a blank line and one line
//! beginning `Runtime: agent=`. With attachments the content is a list of parts, the text names each file
//! in `[media attached …]` lines and an image follows as its own part. The very last message is not the
//! person's: it is one text between `<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>` and
//! `<<<END_OPENCLAW_INTERNAL_CONTEXT>>>`.

pub mod dial;
pub mod document;
pub mod engine;
pub mod http;
pub mod ws;
