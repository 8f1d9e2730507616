//! A real OpenID provider (the npm package `oidc-provider` under node) as a child process, and a browser without a screen
//! that finds its way through redirects and the provider's forms.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use reqwest::Response;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};
use url::Url;

/// The secret of every client the provider knows: `fractal`, and `tampered`, whose id tokens somebody changed on the way.
pub const CLIENT_SECRET: &str = "the-client-secret-of-a-test";

/// A running provider; ends with its owner.
#[derive(Debug)]
pub struct OidcProvider {
    /// Its issuer.
    pub issuer: String,
    process: Child,
}

impl OidcProvider {
    /// Starts one that sends browsers back to these addresses. `scratch` is the caller's `CARGO_TARGET_TMPDIR`. Where node, npm or
    /// the network are missing it prints why and returns nothing.
    ///
    /// # Panics
    ///
    /// Instead of returning nothing when `CI=true`.
    pub async fn start(scratch: &str, redirect_uris: &[&str]) -> Option<Self> {
        match Self::try_start(Path::new(scratch), redirect_uris).await {
            Ok(provider) => Some(provider),
            Err(why) => {
                crate::skipped(&format!("no OpenID provider to test against: {why}"));
                None
            }
        }
    }

    async fn try_start(scratch: &Path, redirect_uris: &[&str]) -> Result<Self, String> {
        let folder = scratch.join("oidc-provider");
        let installing = folder.clone();
        tokio::task::spawn_blocking(move || install(&installing))
            .await
            .map_err(|why| why.to_string())??;
        let mut process = Command::new("node")
            .arg("server.mjs")
            .args(redirect_uris)
            .current_dir(folder)
            // Its open end is what keeps the provider alive, also when a test is killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|why| format!("node does not start: {why}"))?;
        let output = process.stdout.take().ok_or("node has no output")?;
        let line = timeout(
            Duration::from_secs(60),
            BufReader::new(output).lines().next_line(),
        )
        .await
        .map_err(|_| "the provider did not start in time")?;
        match line {
            Ok(Some(issuer)) if issuer.starts_with("http://") => Ok(Self { issuer, process }),
            other => Err(format!("the provider ended at once: {other:?}")),
        }
    }

    /// Ends it; its address refuses connections from now on.
    ///
    /// # Panics
    ///
    /// When it cannot be ended.
    pub async fn stop(mut self) {
        self.process.kill().await.expect("an end");
    }
}

/// Installs the package from its lockfile, once per checkout; of several test programs one installs and the others wait.
fn install(folder: &PathBuf) -> Result<(), String> {
    let said = |why: std::io::Error| why.to_string();
    let source = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/oidc-provider"));
    fs::create_dir_all(folder).map_err(said)?;
    let one_at_a_time = fs::File::create(folder.join("lock")).map_err(said)?;
    one_at_a_time.lock().map_err(said)?;
    for name in ["package.json", "package-lock.json", ".npmrc", "server.mjs"] {
        let wanted = fs::read(source.join(name)).map_err(said)?;
        // Another test may be reading the same file right now.
        if fs::read(folder.join(name)).ok().as_ref() != Some(&wanted) {
            fs::write(folder.join(name), wanted).map_err(said)?;
        }
    }
    let lock = fs::read(source.join("package-lock.json")).map_err(said)?;
    let done = folder.join("installed-lock.json");
    if fs::read(&done).ok().as_ref() == Some(&lock) {
        return Ok(());
    }
    let output = std::process::Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args(["--fetch-timeout=60000", "--fetch-retries=2"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|why| format!("npm does not start: {why}"))?;
    if !output.status.success() {
        return Err(format!(
            "npm ci failed: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    fs::write(done, lock).map_err(said)
}

/// A browser: its cookies, and nothing to look at. Redirects are followed by hand, so that a test sees each.
#[derive(Debug, Clone)]
pub struct Browser {
    /// For requests of the test's own.
    pub http: reqwest::Client,
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl Browser {
    /// A browser without cookies.
    ///
    /// # Panics
    ///
    /// When the machine allows no client.
    #[must_use]
    pub fn new() -> Self {
        // Somebody else may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .cookie_store(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(20))
            .build()
            .expect("a client");
        Self { http }
    }

    /// Opens an address and signs in as `who` wherever it is asked to, until it is sent to an address that begins with `end`, which
    /// is returned and not opened. Nobody (`None`) cancels at the provider instead.
    ///
    /// # Panics
    ///
    /// When it is not sent there.
    pub async fn travel(&self, from: Url, end: &str, who: Option<&str>) -> Url {
        let answer = self.http.get(from).send().await.expect("an answer");
        self.travel_on(answer, end, who).await
    }

    /// The same from an answer on.
    ///
    /// # Panics
    ///
    /// When it is not sent there.
    pub async fn travel_on(&self, mut answer: Response, end: &str, who: Option<&str>) -> Url {
        for _ in 0..12 {
            let here = answer.url().clone();
            if answer.status().is_redirection() {
                let next = location(&answer);
                if next.as_str().starts_with(end) {
                    return next;
                }
                answer = self.http.get(next).send().await.expect("an answer");
                continue;
            }
            let status = answer.status();
            let page = answer.text().await.expect("a page");
            let within = |start: &str| {
                let text = page.split(start).nth(1)?.split('"').next()?;
                here.join(text).ok()
            };
            let form = within("action=\"")
                .unwrap_or_else(|| panic!("{status} without a form at {here}: {page}"));
            let request = match who {
                None => self.http.get(format!("{here}/abort")),
                Some(who) => {
                    let fields = if page.contains("value=\"login\"") {
                        format!("prompt=login&login={who}&password=x")
                    } else {
                        "prompt=consent".to_owned()
                    };
                    let kind = "application/x-www-form-urlencoded";
                    self.http
                        .post(form)
                        .header("content-type", kind)
                        .body(fields)
                }
            };
            answer = request.send().await.expect("an answer");
        }
        panic!("never sent to {end}");
    }
}

/// Where an answer sends the browser.
///
/// # Panics
///
/// When it sends it nowhere.
#[must_use]
pub fn location(answer: &Response) -> Url {
    let next = answer.headers().get("location");
    let next = next.unwrap_or_else(|| panic!("{} leads nowhere", answer.status()));
    let next = next.to_str().expect("an address");
    answer.url().join(next).expect("an address")
}
