//! Counts of tokens, read from what passes by.

use fractal_types::Wire;
use serde_json::Value;

/// Tokens of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    /// In, without those from the cache.
    pub input: u64,
    /// Out, thoughts included.
    pub output: u64,
    /// Read from the cache.
    pub cache_read: u64,
    /// Written to the cache.
    pub cache_write: u64,
}

impl Tokens {
    /// Takes in an answer or an event of one; those without counts change nothing.
    pub fn absorb(&mut self, wire: Wire, value: &Value) {
        let count = |value: &Value, key: &str| value[key].as_u64();
        match wire {
            Wire::OpenaiCompletions => {
                let usage = &value["usage"];
                let cached = count(&usage["prompt_tokens_details"], "cached_tokens").unwrap_or(0);
                if let Some(input) = count(usage, "prompt_tokens") {
                    self.input = input.saturating_sub(cached);
                    self.cache_read = cached;
                }
                self.output = count(usage, "completion_tokens").unwrap_or(self.output);
            }
            Wire::OpenaiResponses => {
                let usage = if value["response"]["usage"].is_object() {
                    &value["response"]["usage"]
                } else {
                    &value["usage"]
                };
                let cached = count(&usage["input_tokens_details"], "cached_tokens").unwrap_or(0);
                if let Some(input) = count(usage, "input_tokens") {
                    self.input = input.saturating_sub(cached);
                    self.cache_read = cached;
                }
                self.output = count(usage, "output_tokens").unwrap_or(self.output);
            }
            Wire::AnthropicMessages => {
                for usage in [&value["message"]["usage"], &value["usage"]] {
                    let newer =
                        |key: &str, old: u64| count(usage, key).map_or(old, |new| new.max(old));
                    self.input = newer("input_tokens", self.input);
                    self.output = newer("output_tokens", self.output);
                    self.cache_read = newer("cache_read_input_tokens", self.cache_read);
                    self.cache_write = newer("cache_creation_input_tokens", self.cache_write);
                }
            }
            Wire::GoogleGenerativeAi => {
                let usage = &value["usageMetadata"];
                let cached = count(usage, "cachedContentTokenCount").unwrap_or(0);
                if let Some(input) = count(usage, "promptTokenCount") {
                    self.input = input.saturating_sub(cached);
                    self.cache_read = cached;
                }
                if let Some(said) = count(usage, "candidatesTokenCount") {
                    self.output = said + count(usage, "thoughtsTokenCount").unwrap_or(0);
                }
            }
        }
    }
}
