//! The data plane against a fake provider, a scripted gateway and, when one is given, a real one.

mod broker;
mod chat;
mod engine;
mod gateway;
mod serve;
mod support;
