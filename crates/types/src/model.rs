//! Model providers and the wires they speak.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::instance::words;

/// A model provider's kind; it fixes the wire format and the default address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// Anthropic.
    Anthropic,
    /// OpenAI.
    Openai,
    /// Google.
    Google,
    /// OpenRouter.
    Openrouter,
    /// xAI.
    Xai,
    /// Anything that speaks the OpenAI wire at a given base URL.
    OpenaiCompatible,
    /// Anything that speaks the Anthropic wire at a given base URL.
    AnthropicCompatible,
    /// Answers without any key; not a language model.
    Demo,
}

words!(ProviderKind, "provider type",
    "anthropic, openai, google, openrouter, xai, openai_compatible, anthropic_compatible or demo", {
    Anthropic = "anthropic", Openai = "openai", Google = "google", Openrouter = "openrouter", Xai = "xai",
    OpenaiCompatible = "openai_compatible", AnthropicCompatible = "anthropic_compatible", Demo = "demo",
});

/// The protocol between a gateway, the broker and a provider.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Wire {
    /// `POST /v1/chat/completions`.
    OpenaiCompletions,
    /// `POST /v1/responses`.
    OpenaiResponses,
    /// `POST /v1/messages`.
    AnthropicMessages,
    /// `POST /v1beta/models/{model}:streamGenerateContent`.
    GoogleGenerativeAi,
}

words!(Wire, "wire",
    "openai_completions, openai_responses, anthropic_messages or google_generative_ai", {
    OpenaiCompletions = "openai_completions", OpenaiResponses = "openai_responses",
    AnthropicMessages = "anthropic_messages", GoogleGenerativeAi = "google_generative_ai",
});

impl ProviderKind {
    /// The wire this kind speaks unless the provider row says otherwise.
    #[must_use]
    pub const fn default_wire(self) -> Wire {
        match self {
            Self::Anthropic | Self::AnthropicCompatible => Wire::AnthropicMessages,
            Self::Google => Wire::GoogleGenerativeAi,
            Self::Openai | Self::Openrouter | Self::Xai | Self::OpenaiCompatible | Self::Demo => {
                Wire::OpenaiCompletions
            }
        }
    }

    /// The provider's public address, without the wire's own path; `None` when one must be given.
    #[must_use]
    pub const fn default_base_url(self) -> Option<&'static str> {
        match self {
            Self::Anthropic => Some("https://api.anthropic.com"),
            Self::Openai => Some("https://api.openai.com/v1"),
            Self::Google => Some("https://generativelanguage.googleapis.com"),
            Self::Openrouter => Some("https://openrouter.ai/api/v1"),
            Self::Xai => Some("https://api.x.ai/v1"),
            Self::OpenaiCompatible | Self::AnthropicCompatible | Self::Demo => None,
        }
    }

    /// Whether a key is needed at all.
    #[must_use]
    pub const fn needs_key(self) -> bool {
        !matches!(
            self,
            Self::Demo | Self::OpenaiCompatible | Self::AnthropicCompatible
        )
    }

    /// Whether the address must be given.
    #[must_use]
    pub const fn needs_base_url(self) -> bool {
        matches!(self, Self::OpenaiCompatible | Self::AnthropicCompatible)
    }
}

impl Wire {
    /// OpenClaw's name of this wire in `models.providers.<id>.api` (`openclaw.md` section 4).
    #[must_use]
    pub const fn openclaw_api(self) -> &'static str {
        match self {
            Self::OpenaiCompletions => "openai-completions",
            Self::OpenaiResponses => "openai-responses",
            Self::AnthropicMessages => "anthropic-messages",
            Self::GoogleGenerativeAi => "google-generative-ai",
        }
    }

    /// The path segment under `/llm/` on the instance listener.
    #[must_use]
    pub const fn path_segment(self) -> &'static str {
        match self {
            Self::OpenaiCompletions => "openai",
            Self::OpenaiResponses => "responses",
            Self::AnthropicMessages => "anthropic",
            Self::GoogleGenerativeAi => "google",
        }
    }

    /// The provider id a gateway knows this wire by: `fractal` for the common one.
    #[must_use]
    pub const fn gateway_provider_id(self) -> &'static str {
        match self {
            Self::OpenaiCompletions => "fractal",
            Self::OpenaiResponses => "fractal-responses",
            Self::AnthropicMessages => "fractal-anthropic",
            Self::GoogleGenerativeAi => "fractal-google",
        }
    }
}
