//! The load client of `benches/run`, and the provider it loads against.
//!
//! Plain blocking sockets and one thread per connection: on a machine of two cores the client must cost as
//! little as possible, or it measures itself. With `--rate` the load is *open*: requests are due at fixed
//! times whether or not earlier answers came, and the wait of a late one counts, so that a stall cannot hide.
//!
//! ```text
//! fractal-load upstream HOST:PORT
//! fractal-load run http://HOST:PORT/PATH | SOCKET:/PATH  [--connections N] [--seconds S] [--rate R]
//!              [--header 'name: value']... [--body JSON] [--pid PID]...
//! ```
//!
//! The result is one JSON object: times in microseconds, `cpu_us` the processor time of the given processes per
//! request.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::net::UnixStream,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

/// What an OpenAI-compatible provider answers to a small call.
const ANSWER: &str = r#"{"id":"c","object":"chat.completion","created":1,"model":"bench","choices":[{"index":0,"message":{"role":"assistant","content":"OK"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}"#;
const MODELS: &str = r#"{"object":"list","data":[{"id":"bench","object":"model"}]}"#;
/// The same answer as a stream, for the turn that proves an instance.
const STREAM: &str = concat!(
    r#"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"bench","choices":[{"index":0,"delta":{"role":"assistant","content":"OK"},"finish_reason":null}]}"#,
    "\n\n",
    r#"data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"bench","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":1,"total_tokens":6}}"#,
    "\n\ndata: [DONE]\n\n",
);

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((word, rest)) if word == "upstream" => upstream(rest),
        Some((word, rest)) if word == "run" => Load::parse(rest).and_then(|load| load.run()),
        _ => Err("say `upstream HOST:PORT` or `run TARGET`; the source lists the options".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fractal-load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A provider that costs next to nothing.
fn upstream(arguments: &[String]) -> Outcome<()> {
    let [address] = arguments else {
        return Err("upstream takes HOST:PORT".into());
    };
    for connection in TcpListener::bind(address)?.incoming() {
        let connection = connection?;
        thread::spawn(move || answer(&connection));
    }
    Ok(())
}

/// Answers one connection until the other side closes it.
fn answer(connection: &TcpStream) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::new(connection);
    loop {
        let Some(message) = read_message(&mut reader)? else {
            return Ok(());
        };
        let body = String::from_utf8_lossy(&message.body);
        let (kind, text) = if message.first.starts_with("GET") {
            ("application/json", MODELS)
        } else if body.contains(r#""stream":true"#) {
            ("text/event-stream", STREAM)
        } else {
            ("application/json", ANSWER)
        };
        let reply = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        (&*connection).write_all(reply.as_bytes())?;
    }
}

/// A request or an answer as it was read.
struct Message {
    first: String,
    body: Vec<u8>,
}

/// Reads one message; `None` at the end of the connection.
fn read_message(reader: &mut impl BufRead) -> io::Result<Option<Message>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let (mut length, mut chunked) = (0, false);
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let header = line.trim_end();
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').unwrap_or((header, ""));
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(io::Error::other)?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.trim().eq_ignore_ascii_case("chunked");
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
            let start = body.len();
            body.resize(start + size, 0);
            reader.read_exact(&mut body[start..])?;
            line.clear();
            reader.read_line(&mut line)?;
            if size == 0 {
                break;
            }
        }
    } else {
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
    }
    Ok(Some(Message { first, body }))
}

/// Where requests go.
#[derive(Clone)]
enum Place {
    Tcp(String),
    Unix(String),
}

/// One measurement.
struct Load {
    place: Place,
    request: Vec<u8>,
    connections: u32,
    seconds: f64,
    /// Requests a second over all connections; as fast as answers come when absent.
    rate: Option<f64>,
    pids: Vec<u32>,
}

impl Load {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let (target, options) = arguments.split_first().ok_or("run takes a target")?;
        let (place, path) = match target.strip_prefix("http://") {
            Some(rest) => {
                let at = rest.find('/').unwrap_or(rest.len());
                (Place::Tcp(rest[..at].to_owned()), &rest[at..])
            }
            None => {
                let (socket, path) = target
                    .split_once(':')
                    .ok_or("a target is http://HOST:PORT/PATH or SOCKET:/PATH")?;
                (Place::Unix(socket.to_owned()), path)
            }
        };
        let mut load = Self {
            place,
            request: Vec::new(),
            connections: 8,
            seconds: 5.0,
            rate: None,
            pids: Vec::new(),
        };
        let (mut headers, mut body) = (String::new(), None);
        for pair in options.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("{} takes a value", pair[0]).into());
            };
            match name.as_str() {
                "--connections" => load.connections = value.parse()?,
                "--seconds" => load.seconds = value.parse()?,
                "--rate" => load.rate = Some(value.parse()?),
                "--pid" => load.pids.push(value.parse()?),
                "--body" => body = Some(value),
                "--header" => write!(headers, "{value}\r\n")?,
                other => return Err(format!("there is no option {other}").into()),
            }
        }
        let host = match &load.place {
            Place::Tcp(address) => address,
            Place::Unix(_) => "localhost",
        };
        load.request = match body {
            Some(body) => format!(
                "POST {path} HTTP/1.1\r\nhost: {host}\r\n{headers}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ),
            None => format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n{headers}\r\n"),
        }
        .into_bytes();
        Ok(load)
    }

    fn run(&self) -> Outcome<()> {
        let before = cpu_us(&self.pids)?;
        let begin = Instant::now();
        let mut times = Vec::new();
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.connections)
                .map(|index| scope.spawn(move || self.connection(index, begin)))
                .collect();
            for thread in threads {
                let measured = thread
                    .join()
                    .map_err(|_| "a connection's thread panicked")?;
                times.extend(measured?);
            }
            Outcome::Ok(())
        })?;
        let took = begin.elapsed().as_secs_f64();
        let cpu = cpu_us(&self.pids)? - before;
        times.sort_unstable();
        let at = |share: f64| {
            let index = (share * (times.len().saturating_sub(1)) as f64).round() as usize;
            times
                .get(index)
                .map_or(0.0, |time| time.as_secs_f64() * 1e6)
        };
        println!(
            "{}",
            json!({
                "requests": times.len(),
                "per_second": (times.len() as f64 / took).round(),
                "p50_us": at(0.5).round(),
                "p99_us": at(0.99).round(),
                "max_us": at(1.0).round(),
                "cpu_us": (cpu / times.len().max(1) as f64 * 10.0).round() / 10.0,
            })
        );
        Ok(())
    }

    /// Loads one connection until the time is over, and tells how long each answer took.
    fn connection(&self, index: u32, begin: Instant) -> Outcome<Vec<Duration>> {
        match &self.place {
            Place::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_nodelay(true)?;
                self.ask(&stream, &stream, index, begin)
            }
            Place::Unix(socket) => {
                let stream = UnixStream::connect(socket)?;
                self.ask(&stream, &stream, index, begin)
            }
        }
    }

    fn ask(
        &self,
        reader: impl Read,
        mut writer: impl Write,
        index: u32,
        begin: Instant,
    ) -> Outcome<Vec<Duration>> {
        let mut reader = BufReader::new(reader);
        let end = begin + Duration::from_secs_f64(self.seconds);
        let gap = self
            .rate
            .map(|rate| Duration::from_secs_f64(f64::from(self.connections) / rate));
        // The connections take turns instead of asking all at once.
        let mut due = begin + gap.map_or(Duration::ZERO, |gap| gap * index / self.connections);
        let mut times = Vec::new();
        loop {
            let mut since = Instant::now();
            if let Some(gap) = gap {
                if since < due {
                    thread::sleep(due - since);
                    since = Instant::now();
                } else {
                    since = due;
                }
                due += gap;
            }
            // What was due and not sent by now shows in the count of requests; going on would only measure
            // how long the queue grew.
            if Instant::now() >= end {
                return Ok(times);
            }
            writer.write_all(&self.request)?;
            let message = read_message(&mut reader)?.ok_or("the connection was closed")?;
            if message.first.split(' ').nth(1) != Some("200") {
                let body = String::from_utf8_lossy(&message.body).into_owned();
                return Err(format!("{}: {body}", message.first.trim_end()).into());
            }
            times.push(since.elapsed());
        }
    }
}

/// The processor time these processes took so far, in microseconds.
fn cpu_us(pids: &[u32]) -> Outcome<f64> {
    let mut ticks = 0;
    for pid in pids {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        // The name before may hold spaces; user and system time are the 12th and 13th field after it.
        let after = stat.rsplit_once(')').ok_or("unreadable process state")?.1;
        let fields: Vec<&str> = after.split_whitespace().collect();
        for field in fields.get(11..13).ok_or("unreadable process state")? {
            ticks += field.parse::<u64>()?;
        }
    }
    Ok(ticks as f64 * 1e6 / rustix::param::clock_ticks_per_second() as f64)
}
