//! `fractal chat`: one message, or a conversation on a terminal.
//!
//! On a terminal the answer appears as it is written. Into a pipe goes only the finished answer, because an
//! agent may take back what it wrote; `--json` gives every event, one per line. Ctrl-C stops the turn, a second
//! one leaves.

use std::{
    io::{self, BufRead, IsTerminal, Read, Write},
    process::ExitCode,
};

use anyhow::Context;
use fractal_api_types::{ApprovalDecision, ChatEvent, ChatPhase, ChatRequest, ToolPhase};
use fractal_client::{Client, Error};
use fractal_clock::{Clock, SystemClock};
use fractal_types::{ChatRunId, InstanceId};
use futures::StreamExt;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

use super::{Session, instances};
use crate::{
    args::ChatArgs,
    exit::{Advice, Exit, FAILED, UsageError},
    output::write_out,
    text::{printable, printable_lines},
};

/// Lines typed at the terminal, read on a thread of their own so that a turn can go on meanwhile.
type Lines = mpsc::Receiver<String>;

pub async fn run(session: &Session, args: ChatArgs) -> anyhow::Result<ExitCode> {
    let client = session.client()?;
    let agent_id = match &args.agent {
        Some(agent) => Some(instances::find(&client, agent).await?),
        None => None,
    };
    let interactive = io::stdin().is_terminal();
    let mut talk = Talk {
        session,
        client,
        agent_id,
        session_key: args.session,
        lines: None,
        interrupts: signal(SignalKind::interrupt()).context("Ctrl-C cannot be listened for")?,
    };
    match args.message {
        Some(message) => {
            if interactive {
                talk.lines = Some(read_lines());
            }
            talk.turn(message).await
        }
        None if interactive => talk.converse().await,
        None => {
            let mut message = String::new();
            io::stdin()
                .read_to_string(&mut message)
                .context("standard input is not text")?;
            if message.trim().is_empty() {
                return Err(anyhow::Error::new(UsageError(
                    "there is no message; give one, or pipe one in".to_owned(),
                )));
            }
            talk.turn(message).await
        }
    }
}

struct Talk<'a> {
    session: &'a Session,
    client: Client,
    agent_id: Option<InstanceId>,
    session_key: Option<String>,
    lines: Option<Lines>,
    /// One listener for all the time: one made per wait would miss a Ctrl-C between two waits.
    interrupts: Signal,
}

impl Talk<'_> {
    async fn converse(&mut self) -> anyhow::Result<ExitCode> {
        eprintln!(
            "Write a message and press Enter. /new begins a new session, /quit or Ctrl-D leaves, Ctrl-C stops an answer."
        );
        self.lines = Some(read_lines());
        loop {
            eprint!("> ");
            io::stderr().flush()?;
            let Some(line) = self.line().await else {
                return Ok(ExitCode::SUCCESS);
            };
            match line.trim() {
                "" => {}
                "/quit" | "/exit" => return Ok(ExitCode::SUCCESS),
                "/new" => {
                    self.session_key = Some(format!("cli-{}", SystemClock.now().as_millis()));
                    eprintln!("a new session begins with your next message");
                }
                _ => {
                    // A turn that fails does not end the conversation.
                    if let Err(error) = self.turn(line).await {
                        eprint!("{}", crate::exit::words(&error));
                    }
                }
            }
        }
    }

    /// The next line; `None` at the end of input or on Ctrl-C.
    async fn line(&mut self) -> Option<String> {
        let lines = self.lines.as_mut()?;
        tokio::select! {
            line = lines.recv() => line,
            _ = self.interrupts.recv() => None,
        }
    }

    async fn turn(&mut self, message: String) -> anyhow::Result<ExitCode> {
        let request = ChatRequest {
            agent_id: self.agent_id,
            session: self.session_key.clone(),
            message: Some(message),
            ..ChatRequest::default()
        };
        let mut events = tokio::select! {
            events = self.client.chat(&request) => events?,
            _ = self.interrupts.recv() => return Ok(Exit(FAILED).into()),
        };
        let mut answer = Answer::new(self.session.out.json);
        let mut run = None;
        let mut stopping = false;
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                _ = self.interrupts.recv() => {
                    let Some(run) = run.filter(|_| !stopping) else { return Ok(Exit(FAILED).into()) };
                    stopping = true;
                    eprintln!("\nstopping; press Ctrl-C again to leave at once");
                    let stopped = tokio::select! {
                        stopped = self.client.abort_chat(run) => stopped,
                        _ = self.interrupts.recv() => return Ok(Exit(FAILED).into()),
                    };
                    match stopped {
                        Ok(()) | Err(Error::Problem(_)) => continue,
                        Err(error) => return Err(error.into()),
                    }
                }
            };
            let Some(event) = event else {
                return Err(Advice::error(
                    "the answer ended without an end",
                    "look at the history in the Portal",
                ));
            };
            let event = event?;
            if self.session.out.json {
                self.session.out.line(&event)?;
            }
            match event {
                ChatEvent::Run {
                    run_id,
                    session,
                    agent_id,
                    ..
                } => {
                    run = Some(run_id);
                    self.session_key = Some(session);
                    self.agent_id = Some(agent_id);
                }
                ChatEvent::Final { text, aborted, .. } => {
                    answer.finish(&text)?;
                    return Ok(if aborted {
                        Exit(FAILED).into()
                    } else {
                        ExitCode::SUCCESS
                    });
                }
                ChatEvent::Error {
                    message, remedy, ..
                } => {
                    answer.pause();
                    return Err(Advice::error(
                        message,
                        remedy.unwrap_or_else(|| {
                            "try again; `fractal status` shows how the agent is".to_owned()
                        }),
                    ));
                }
                event => self.show(event, run, &mut answer).await?,
            }
        }
    }

    async fn show(
        &mut self,
        event: ChatEvent,
        run: Option<ChatRunId>,
        answer: &mut Answer,
    ) -> anyhow::Result<()> {
        match event {
            ChatEvent::Delta { text, replace } => answer.write(&text, replace)?,
            ChatEvent::Status {
                phase,
                queue_position,
                typical_ms,
                installing,
                ..
            } => {
                // A line per phase, not per package: lines do not move here.
                let part = installing.map(|progress| format!(" ({})", progress.phase));
                answer.note(&format!(
                    "{}{}",
                    phase_words(phase, queue_position, typical_ms),
                    part.unwrap_or_default()
                ));
            }
            ChatEvent::Tool {
                name,
                phase,
                summary,
                ..
            } => {
                let word = match phase {
                    ToolPhase::Start => "uses",
                    ToolPhase::Done => "used",
                    ToolPhase::Failed => "failed with",
                };
                let summary = summary.map(|text| format!(": {text}")).unwrap_or_default();
                answer.note(&format!("{word} {name}{summary}"));
            }
            ChatEvent::Approval {
                id,
                command,
                decision: None,
                ..
            } => {
                answer.pause();
                eprintln!("The agent wants to run: {}", printable_lines(&command));
                if let (Some(run), Some(decision)) = (run, self.ask_approval().await?) {
                    self.client.resolve_approval(run, &id, decision).await?;
                }
            }
            ChatEvent::Question {
                id,
                text,
                options,
                answered: false,
            } => {
                answer.pause();
                eprintln!("The agent asks: {}", printable_lines(&text));
                for option in &options {
                    eprintln!("  - {}", printable(option));
                }
                if let (Some(run), Some(words)) = (run, self.ask("answer: ").await?) {
                    self.client.answer_question(run, &id, words).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn ask_approval(&mut self) -> anyhow::Result<Option<ApprovalDecision>> {
        loop {
            let Some(word) = self.ask("allow [o]nce, [a]lways, or [d]eny? ").await? else {
                return Ok(None);
            };
            match word.trim().to_ascii_lowercase().as_str() {
                "o" | "once" => return Ok(Some(ApprovalDecision::AllowOnce)),
                "a" | "always" => return Ok(Some(ApprovalDecision::AllowAlways)),
                "d" | "deny" => return Ok(Some(ApprovalDecision::Deny)),
                _ => {}
            }
        }
    }

    /// Asks on the terminal; without one says where the answer can be given.
    async fn ask(&mut self, question: &str) -> anyhow::Result<Option<String>> {
        if self.lines.is_none() {
            eprintln!(
                "there is no terminal to ask on; answer in the Portal at {}",
                self.client.base_url()
            );
            return Ok(None);
        }
        eprint!("{question}");
        io::stderr().flush()?;
        Ok(self.line().await)
    }
}

fn phase_words(phase: ChatPhase, queue_position: Option<u32>, typical_ms: Option<u64>) -> String {
    let words = match phase {
        ChatPhase::Waking => "waking the agent",
        ChatPhase::Installing => "installing the engine",
        ChatPhase::Queued => "waiting for a start slot",
        ChatPhase::Starting => "starting the agent",
        ChatPhase::Connecting => "connecting",
        ChatPhase::Waiting => "waiting for the turn before",
        ChatPhase::Preparing => "preparing",
        ChatPhase::Thinking => "thinking",
    };
    let place = queue_position
        .map(|place| format!(", place {place}"))
        .unwrap_or_default();
    let usual = typical_ms
        .map(|ms| format!(", usually {} s", ms.div_ceil(1000)))
        .unwrap_or_default();
    format!("{words}{place}{usual}")
}

fn read_lines() -> Lines {
    let (send, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if send.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The answer on its way to standard output.
struct Answer {
    /// What stands there so far.
    written: String,
    live: bool,
    json: bool,
    last_note: String,
}

impl Answer {
    fn new(json: bool) -> Self {
        Self {
            written: String::new(),
            live: !json && io::stdout().is_terminal(),
            json,
            last_note: String::new(),
        }
    }

    fn write(&mut self, text: &str, replace: bool) -> anyhow::Result<()> {
        let whole = if replace {
            text.to_owned()
        } else {
            format!("{}{text}", self.written)
        };
        self.bring_to(whole)
    }

    /// Makes what stands there `whole`: by adding to it where that is enough, on a fresh line otherwise.
    fn bring_to(&mut self, whole: String) -> anyhow::Result<()> {
        if self.live {
            match whole.strip_prefix(self.written.as_str()) {
                Some(rest) => write_out(&printable_lines(rest))?,
                None => write_out(&format!("\n{}", printable_lines(&whole)))?,
            }
        }
        self.written = whole;
        Ok(())
    }

    fn finish(&mut self, text: &str) -> anyhow::Result<()> {
        if self.json {
            return Ok(());
        }
        if self.live {
            self.bring_to(text.to_owned())?;
            return write_out("\n");
        }
        write_out(&format!("{}\n", printable_lines(text)))
    }

    fn note(&mut self, words: &str) {
        if self.last_note != words && !self.json {
            self.pause();
            eprintln!("· {}", printable(words));
            words.clone_into(&mut self.last_note);
        }
    }

    /// Puts the terminal on a fresh line before something else is written there.
    fn pause(&self) {
        if self.live && !self.written.is_empty() && !self.written.ends_with('\n') {
            eprintln!();
        }
    }
}
