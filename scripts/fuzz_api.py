"""What Schemathesis does differently here. `scripts/fuzz-api` names this file."""

import os

import schemathesis

# The caller's own agent; empty for somebody without one.
AGENT = os.environ.get("FUZZ_AGENT")


@schemathesis.hook
def before_call(ctx, case, kwargs):
    """Leads calls to the caller's agent, which they would never guess, and keeps every call finite and on this machine."""
    if AGENT and case.path.endswith("/logs"):
        case.path_parameters = {**(case.path_parameters or {}), "id": AGENT}
    if AGENT and case.path.endswith("/chat/completions") and isinstance(case.body, dict) and "model" in case.body:
        case.body = {**case.body, "model": AGENT}
    # A log that is followed does not end.
    if case.path.endswith("/logs") and case.query and str(case.query.get("follow")).lower() == "true":
        case.query = {name: value for name, value in case.query.items() if name != "follow"}
    # A sign-in leads to another site, and a finished one to the Portal; the answer itself tells where.
    kwargs["allow_redirects"] = False
