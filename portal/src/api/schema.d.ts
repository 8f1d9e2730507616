// Generated from docs/reference/openapi.json by `npm run generate`; not edited by hand.
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description Accepts an invitation; needs the header `X-Invitation-Token`. Signs in. */
        AcceptInvitation: {
            /** @description The sign-in name. */
            username: components["schemas"]["Username"];
            display_name?: components["schemas"]["Label"] | null;
            /**
             * Format: password
             * @description The password, at least 12 characters.
             */
            password: string;
        };
        /** @description Says that somebody looks after an incident. */
        AcknowledgeIncident: {
            /** @description What they say about it. */
            note?: string | null;
        };
        /** @description Adds a witness. */
        AddWitness: {
            /** @description What its addresses begin with, an https address; `/add-checkpoint` is added. */
            url: string;
            /** @description The key that verifies its cosignatures, `name+id+key`, as its operator publishes it. */
            key: string;
            /** @description Whether it may be on a private or loopback address, and plain http. */
            allow_private_network?: boolean | null;
        };
        /** @description Answers a question. */
        AnswerQuestion: {
            /** @description The answer. */
            answer: string;
        };
        ApiTokenId: string;
        /** @description An API token, without its secret. */
        ApiTokenView: {
            /** @description Its id. */
            id: components["schemas"]["ApiTokenId"];
            /** @description What it is for. */
            name: components["schemas"]["Label"];
            /** @description Its first and last characters. */
            hint: string;
            /** @description What it may be used for. */
            scopes: components["schemas"]["Scope"][];
            /** @description When it was made. */
            created_at: components["schemas"]["Timestamp"];
            expires_at?: components["schemas"]["Timestamp"] | null;
            last_used_at?: components["schemas"]["Timestamp"] | null;
        };
        /**
         * @description The word on an approval.
         * @enum {string}
         */
        ApprovalDecision: "allow_once" | "allow_always" | "deny";
        /** @description Approves a proposal. */
        ApproveProposal: {
            /** @description The proposal's digest as you saw it; refused with `conflict` when it is another. */
            digest: string;
            /** @description Why, for who asked and for the log. */
            comment?: string | null;
        };
        /** @description A file that goes with a message. */
        Attachment: {
            /** @description Its name. */
            name: string;
            /** @description Its media type. */
            mime_type: string;
            /** @description Its content, base64; at most 20 MiB decoded. */
            content: string;
        };
        /** @description A file that went with a message, without its content. */
        AttachmentNote: {
            /** @description Its name, while it is known: transcripts do not keep it. */
            name?: string | null;
            /** @description Its media type. */
            mime_type: string;
        };
        BrowserSessionId: string;
        /** @description A signed-in browser. */
        BrowserSessionView: {
            /** @description Its id. */
            id: components["schemas"]["BrowserSessionId"];
            /** @description When it signed in. */
            created_at: components["schemas"]["Timestamp"];
            /** @description When it was last used, to the minute. */
            last_used_at: components["schemas"]["Timestamp"];
            /** @description When it ends by itself. */
            expires_at: components["schemas"]["Timestamp"];
            /** @description The browser as it named itself. */
            user_agent?: string | null;
            /** @description The network address it came from. */
            address?: string | null;
            /** @description Whether it is the one asking. */
            current: boolean;
        };
        /** @description What a runtime asset promises. */
        CapabilitiesView: {
            /** @description `sandboxed` or `reduced`. */
            isolation: string;
            /** @description Whether each instance has a host user of its own. */
            own_uid: boolean;
            /** @description Memory limit. */
            memory: components["schemas"]["Enforcement"];
            /** @description CPU limit. */
            cpu: components["schemas"]["Enforcement"];
            /** @description Process limit. */
            processes: components["schemas"]["Enforcement"];
            /** @description Disk limit. */
            disk: components["schemas"]["Enforcement"];
            /** @description Open-file limit. */
            open_files: components["schemas"]["Enforcement"];
            /** @description What could be better, with the remedy. */
            remarks: string[];
        };
        /** @description Gives an instance another engine. */
        ChangeEngine: {
            /** @description An installed engine. */
            engine_id: components["schemas"]["EngineId"];
        };
        /** @description One event of a run. On the wire the SSE `event` field carries the type and `data` the rest. */
        ChatEvent: {
            /** @description Its id. */
            run_id: components["schemas"]["ChatRunId"];
            /** @description The session's key. */
            session: string;
            /** @description The agent. */
            agent_id: components["schemas"]["InstanceId"];
            /** @description What the agent was asked, for those who did not ask it. */
            message?: string;
            /** @description The files that went with it. */
            attachments?: components["schemas"]["AttachmentNote"][];
            /** @enum {string} */
            type: "run";
        } | {
            /** @description `waking`, `installing`, `queued`, `starting`, `connecting`, `waiting`, `preparing` or `thinking`. */
            phase: components["schemas"]["ChatPhase"];
            state?: components["schemas"]["SeenState"] | null;
            /**
             * Format: int32
             * @description Place in the queue for a start slot.
             */
            queue_position?: number | null;
            /**
             * Format: int64
             * @description How long this usually takes, in milliseconds.
             */
            typical_ms?: number | null;
            installing?: components["schemas"]["EngineProgress"] | null;
            /** @enum {string} */
            type: "status";
        } | {
            /** @description The new text. */
            text: string;
            /** @description Whether it replaces everything so far. */
            replace?: boolean;
            /** @enum {string} */
            type: "delta";
        } | {
            /** @description The call's id. */
            id: string;
            /** @description The tool. */
            name: string;
            /** @description Whether it runs or has ended. */
            phase: components["schemas"]["ToolPhase"];
            /** @description One line: what it was asked, or what came of it. */
            summary?: string | null;
            /** @enum {string} */
            type: "tool";
        } | {
            /** @description Answer at `POST /api/v1/chat/runs/{run}/approvals/{id}`. */
            id: string;
            /** @description What it wants to do. */
            command: string;
            expires_at?: components["schemas"]["Timestamp"] | null;
            /** @description The decision, once made. */
            decision?: string | null;
            /** @enum {string} */
            type: "approval";
        } | {
            /** @description Answer at `POST /api/v1/chat/runs/{run}/questions/{id}`. */
            id: string;
            /** @description The question. */
            text: string;
            /** @description Offered answers. */
            options: string[];
            /** @description Whether it has been answered. */
            answered: boolean;
            /** @enum {string} */
            type: "question";
        } | (components["schemas"]["TokenUsage"] & {
            /** @enum {string} */
            type: "usage";
        }) | {
            /** @description The text. */
            text: string;
            usage?: components["schemas"]["TokenUsage"] | null;
            /** @description Whether it was stopped before its end. */
            aborted?: boolean;
            /** @enum {string} */
            type: "final";
        } | {
            /** @description A stable code. */
            code: string;
            /** @description Cause in words. */
            message: string;
            /** @description What to do about it. */
            remedy?: string | null;
            provider?: components["schemas"]["ProviderFault"] | null;
            /** @enum {string} */
            type: "error";
        };
        /** @description A conversation, oldest message first. */
        ChatHistory: {
            /** @description The session's key. */
            session: string;
            /** @description The messages. */
            messages: components["schemas"]["ChatMessage"][];
            /** @description Whether older ones exist. */
            has_more: boolean;
            active_run?: components["schemas"]["ChatRunId"] | null;
        };
        /** @description One message of a conversation. */
        ChatMessage: {
            /** @description Its id within the session. */
            id: string;
            /** @description `user` or `assistant`. */
            role: string;
            /** @description The text. */
            text: string;
            at?: components["schemas"]["Timestamp"] | null;
            /** @description The run that made it, for assistants; the run that answered it, for users. */
            run_id?: string | null;
            /** @description The model that made it, for assistants. */
            model?: string | null;
            /** @description Tools it used. */
            tools?: components["schemas"]["ToolUse"][];
            /** @description Files that went with it, for users. */
            attachments?: components["schemas"]["AttachmentNote"][];
            usage?: components["schemas"]["TokenUsage"] | null;
            /** @description Why it failed, when it did. */
            error?: string | null;
        };
        /** @description One entry of `messages`. */
        ChatMessageIn: {
            /** @description `user`, `assistant` or `system`. */
            role: string;
            /** @description The text. */
            content: string;
        };
        /**
         * @description What happens before the first word.
         * @enum {string}
         */
        ChatPhase: "waking" | "installing" | "queued" | "starting" | "connecting" | "waiting" | "preparing" | "thinking";
        /** @description Sends a message to an agent. */
        ChatRequest: {
            agent_id?: components["schemas"]["InstanceId"] | null;
            /** @description The session's key; the agent's main session when absent. */
            session?: string | null;
            /** @description The message. Either this or `messages`. */
            message?: string | null;
            /** @description A conversation, of which the last user entry is sent. */
            messages?: components["schemas"]["ChatMessageIn"][] | null;
            /** @description Files to go with the message. */
            attachments?: components["schemas"]["Attachment"][] | null;
        };
        ChatRunId: string;
        /** @description A conversation. */
        ChatSession: {
            /** @description Its key, as in `ChatRequest::session`. */
            key: string;
            /** @description Its name. */
            title?: string | null;
            updated_at?: components["schemas"]["Timestamp"] | null;
            /** @description The model it used last. */
            model?: string | null;
            /**
             * Format: int64
             * @description Tokens so far.
             */
            total_tokens?: number | null;
            /** @description Where it came from: `chat`, `cron`, `room`, `api` or `other`. */
            origin: string;
            active_run?: components["schemas"]["ChatRunId"] | null;
        };
        /** @description Looks at rules without putting them in force. */
        CheckPolicy: {
            /** @description All added rules, in Cedar. */
            text: string;
            /** @description What must hold under them; those of the version in force when absent. */
            tests?: components["schemas"]["PolicyTest"][] | null;
        };
        /** @description A check, and what it found last. */
        CheckView: {
            /** @description The check, a stable word. */
            id: string;
            /** @description What it looks at, in words. */
            about: string;
            outcome?: components["schemas"]["Severity"] | null;
            /**
             * Format: int32
             * @description How much it found.
             */
            findings: number;
            looked_at?: components["schemas"]["Timestamp"] | null;
            /** @description Why it could not look. */
            error?: string | null;
        };
        /** @description Makes the first administrator; needs the header `X-Setup-Token`. */
        ClaimBreakglass: {
            /** @description Their sign-in name. */
            username: components["schemas"]["Username"];
            /**
             * Format: password
             * @description Their password, at least 12 characters.
             */
            password: string;
        };
        /** @description One entry of the conversation. */
        CompletionMessage: {
            /** @description `system`, `user` or `assistant`. */
            role: string;
            /** @description Text, or a list of parts of which the text ones are read. */
            content?: unknown;
        };
        /** @description A chat completion request. Unlike our own requests it is open: clients send fields we ignore. */
        CompletionRequest: {
            /** @description The agent id. */
            model: string;
            /** @description The conversation; its last user entry is sent, earlier ones go along as context. */
            messages: components["schemas"]["CompletionMessage"][];
            /** @description Whether to stream. */
            stream?: boolean | null;
            stream_options?: components["schemas"]["StreamOptions"] | null;
        };
        /** @description The proof that an earlier log is the beginning of a later one (RFC 6962 section 2.1.2). */
        ConsistencyProof: {
            /**
             * Format: int64
             * @description The size of the earlier log.
             */
            from: number;
            /**
             * Format: int64
             * @description The size of the later log.
             */
            to: number;
            /** @description The hashes, hexadecimal. */
            hashes: string[];
            /** @description The later signed head. */
            note: string;
        };
        /** @description Makes an API token. */
        CreateApiToken: {
            /** @description What it is for. */
            name: components["schemas"]["Label"];
            /** @description What it may be used for; everything its owner may when absent. */
            scopes?: components["schemas"]["Scope"][] | null;
            /**
             * Format: int32
             * @description Days until it ends, 1 to 3650; 90 when absent, never when 0. One that is made by means of a token ends with that one at the
             *     latest.
             */
            expires_in_days?: number | null;
        };
        /** @description Sets up an OIDC identity provider. */
        CreateIdentityProvider: {
            /** @description Its name on the sign-in button. */
            name: components["schemas"]["Label"];
            /** @description The issuer address. */
            issuer: string;
            /** @description Our client id there. */
            client_id: string;
            /**
             * Format: password
             * @description Our client secret there; absent for a public client.
             */
            client_secret?: string | null;
            /** @description Scopes besides `openid`; `profile` and `email` when absent. */
            scopes?: string[] | null;
            /** @description Whether an unknown person gets a member account; no when absent. */
            auto_provision?: boolean | null;
            /** @description Whether the issuer may be on a private or loopback address; no when absent. */
            allow_private_network?: boolean | null;
        };
        /** @description Makes an instance for the caller and starts it. */
        CreateInstance: {
            /** @description Its name, unique among the owner's. */
            name: components["schemas"]["Label"];
            engine_id?: components["schemas"]["EngineId"] | null;
            /** @description Whether to start it at once; yes when absent. */
            start?: boolean | null;
        };
        /** @description Invites somebody. */
        CreateInvitation: {
            role?: components["schemas"]["Role"] | null;
            username?: components["schemas"]["Username"] | null;
            /**
             * Format: int32
             * @description Days until it ends, 1 to 30; 7 when absent.
             */
            expires_in_days?: number | null;
        };
        /** @description Adds a model provider. */
        CreateProvider: {
            /** @description Its kind. */
            type: components["schemas"]["ProviderKind"];
            /** @description Its name. */
            name: components["schemas"]["Label"];
            /** @description Its address; needed for the compatible kinds. */
            base_url?: string | null;
            /**
             * Format: password
             * @description The key.
             */
            api_key?: string | null;
            /** @description Models to offer when the provider cannot list them. */
            models?: string[] | null;
            wire?: components["schemas"]["Wire"] | null;
            /** @description Offer it to everybody in the organization (administrators only). */
            shared?: boolean | null;
            /** @description Allow a private or loopback address (administrators only). */
            allow_private_network?: boolean | null;
        };
        /** @description Makes an account with a password. An invitation is usually better: nobody else learns the password. */
        CreateUser: {
            /** @description Their sign-in name. */
            username: components["schemas"]["Username"];
            display_name?: components["schemas"]["Label"] | null;
            role?: components["schemas"]["Role"] | null;
            /**
             * Format: password
             * @description Their password, at least 12 characters.
             */
            password: string;
        };
        /** @description Makes a webhook. It is told what happens from then on. */
        CreateWebhook: {
            /** @description What people call it. */
            name: components["schemas"]["Label"];
            /** @description Where to, an https address. */
            url: string;
            /** @description Which actions: names like `instance.start`, kinds like `instance.`, or `*`; everything when absent. */
            events?: string[] | null;
            /** @description Whether it may be on a private or loopback address, and plain http. */
            allow_private_network?: boolean | null;
        };
        DeliveryId: string;
        /**
         * @description How a delivery stands.
         * @enum {string}
         */
        DeliveryStateView: "pending" | "delivered" | "dead";
        /** @description One entry of the log on its way to a webhook. */
        DeliveryView: {
            /** @description Its id. */
            id: components["schemas"]["DeliveryId"];
            /**
             * Format: int64
             * @description The entry's position in the log.
             */
            seq: number;
            /** @description The entry's action. */
            event: string;
            /** @description The thing it is about, as `kind:id`. Deliveries about one thing keep their order. */
            resource: string;
            /** @description How it stands. */
            state: components["schemas"]["DeliveryStateView"];
            /**
             * Format: int32
             * @description How often it was tried.
             */
            attempts: number;
            next_at?: components["schemas"]["Timestamp"] | null;
            /**
             * Format: int32
             * @description The status of the last answer.
             */
            last_status?: number | null;
            /** @description Why the last attempt failed. */
            last_error?: string | null;
            /** @description When it was put on its way. */
            created_at: components["schemas"]["Timestamp"];
            done_at?: components["schemas"]["Timestamp"] | null;
        };
        /**
         * @description How near an instance's files are to what they may take.
         * @enum {string}
         */
        DiskPressure: "ok" | "near" | "full";
        /** @description What would happen. Nothing did, and nothing was written to the log. */
        DryRun: {
            /** @description What would be done. */
            action: string;
            /** @description To which kind of thing. */
            resource_kind: string;
            /** @description To which thing; absent for one that would be made. */
            resource_id?: string | null;
            /** @description Whether it touches what is private to somebody; then nobody else sees the values. */
            private: boolean;
            /** @description Whether it is allowed, and by which rules. */
            decision: components["schemas"]["PolicyDecision"];
            /** @description What the log would commit to, by name: the new values. Secrets are not among them. */
            values: {
                [key: string]: unknown;
            };
            /** @description Which of the values are made anew each time, like the end of a new token's life; the change itself will have others. */
            fresh?: string[];
            /** @description The steps of the operation that would be begun, in order. */
            steps?: string[];
            /** @description The instances that would be looked at afterwards, because what they should be changes. */
            instances: string[];
        };
        /**
         * @description How a runtime treats one limit.
         * @enum {string}
         */
        Enforcement: "enforced" | "watched" | "none";
        EngineId: string;
        /** @description How far an installation is. */
        EngineProgress: {
            /** @description `prepare`, `download`, `unpack`, `verify` or `done`. */
            phase: string;
            /**
             * Format: int32
             * @description Packages present.
             */
            packages_done: number;
            /**
             * Format: int32
             * @description Packages in all.
             */
            packages_total: number;
            /**
             * Format: int64
             * @description Bytes on disk so far.
             */
            bytes: number;
            /**
             * Format: int64
             * @description Bytes there will be, roughly; 0 while that is not known.
             */
            bytes_total?: number;
        };
        /**
         * @description Whether an engine can be used.
         * @enum {string}
         */
        EngineState: "installing" | "installed" | "failed";
        /** @description An installable OpenClaw version. */
        EngineView: {
            /** @description Its id. */
            id: components["schemas"]["EngineId"];
            /** @description OpenClaw's version. */
            version: string;
            /** @description Node's version. */
            node_version?: string | null;
            /** @description Whether it can be used. */
            state: components["schemas"]["EngineState"];
            progress?: components["schemas"]["EngineProgress"] | null;
            /** @description What is wrong, with the remedy. */
            error?: string | null;
            /** @description Digest of its files. */
            digest?: string | null;
            /** @description When it was first known. */
            created_at: components["schemas"]["Timestamp"];
        };
        /** @description How much of what the log held was erased. */
        ErasedView: {
            /**
             * Format: int64
             * @description Values.
             */
            values: number;
            /**
             * Format: int64
             * @description Entries that held them; they stay, with their commitments.
             */
            entries: number;
        };
        /** @description The newest signed head of the log. */
        EvidenceHead: {
            /**
             * Format: int64
             * @description How many entries it covers; 0 before the first was sealed.
             */
            size: number;
            /** @description The signed note (C2SP tlog-checkpoint), with the lines of witnesses that cosigned it; absent while `size` is 0. */
            note?: string | null;
            signed_at?: components["schemas"]["Timestamp"] | null;
            witnessed?: components["schemas"]["WitnessedHead"] | null;
            /** @description The key that verifies it, `name+id+key`. Keep it somewhere else than here. */
            key: string;
            /**
             * Format: int64
             * @description Entries that happened and have no position yet.
             */
            waiting: number;
        };
        EvidenceId: string;
        /** @description One line of the log. */
        EvidenceView: {
            /**
             * Format: int64
             * @description Its position, gapless from 1.
             */
            seq: number;
            /** @description Its id. */
            id: components["schemas"]["EvidenceId"];
            /** @description When it happened. */
            at: components["schemas"]["Timestamp"];
            /** @description Which kind of principal acted. */
            actor_kind: string;
            /** @description Which; empty for the system. */
            actor_id: string;
            /** @description The sign-in name of a person who is still there. */
            actor_name?: string | null;
            /** @description How they proved it. */
            via: string;
            /** @description What was done. */
            action: string;
            /** @description To what kind of thing. */
            resource_kind: string;
            /** @description To which. */
            resource_id: string;
            /** @description How it ended. */
            outcome: string;
            /** @description Why: the deciding policies. */
            decision: Record<string, never>;
            /** @description What changed, as far as it may be seen by the caller and was not erased. */
            values: Record<string, never>;
            /** @description Every value's commitment, also of those not shown: field to hexadecimal digits. */
            commitments: Record<string, never>;
            /** @description Names of values that the caller may see and that were erased. It is the server's word: a commitment alone tells nothing. */
            erased?: string[];
            /** @description The request that caused it. */
            request_id?: string | null;
        };
        /** @description One wrong field. */
        FieldError: {
            /** @description JSON pointer into the body, or the name of a path or query parameter. */
            field: string;
            /** @description The rule that was broken, in words. */
            message: string;
        };
        /** @description Whether the service is up. Counts are told to callers on the same machine only. */
        Health: {
            /** @description `ok`. */
            status: string;
            /** @description Fractal's version. */
            version: string;
            instances?: components["schemas"]["InstanceCounts"] | null;
            /**
             * Format: int64
             * @description How many incidents are open.
             */
            incidents?: number | null;
        };
        IdentityProviderId: string;
        /** @description An OIDC identity provider, without its client secret. */
        IdentityProviderView: {
            /** @description Its id. */
            id: components["schemas"]["IdentityProviderId"];
            /** @description Its name on the sign-in button. */
            name: components["schemas"]["Label"];
            /** @description The issuer address. */
            issuer: string;
            /** @description Our client id there. */
            client_id: string;
            /** @description Whether a client secret is stored. */
            has_client_secret: boolean;
            /** @description Scopes asked for besides `openid`. */
            scopes: string[];
            /** @description Whether people may sign in with it. */
            enabled: boolean;
            /** @description Whether an unknown person gets a member account. */
            auto_provision: boolean;
            /** @description Whether the issuer may be on a private or loopback address. */
            allow_private_network: boolean;
            /** @description The redirect address to register there. */
            redirect_uri: string;
            /** @description When it was made. */
            created_at: components["schemas"]["Timestamp"];
        };
        IncidentId: string;
        /**
         * @description Whether an incident goes on.
         * @enum {string}
         */
        IncidentState: "open" | "resolved";
        /** @description Something found broken. */
        IncidentView: {
            /** @description Its id. */
            id: components["schemas"]["IncidentId"];
            /** @description The check that found it. */
            check: string;
            /** @description How bad it is. */
            severity: components["schemas"]["Severity"];
            /** @description Whether it goes on. */
            state: components["schemas"]["IncidentState"];
            /** @description What was found, in words. */
            finding: string;
            /** @description What to do about it. */
            remedy?: string | null;
            /** @description What Fractal did about it at once, in words. */
            patch?: string | null;
            /**
             * Format: int32
             * @description How often it did.
             */
            attempts: number;
            /** @description About which kind of thing. */
            resource_kind: string;
            /** @description About which thing. */
            resource_id: string;
            owner?: components["schemas"]["OwnerRef"] | null;
            acknowledged_by?: components["schemas"]["OwnerRef"] | null;
            acknowledged_at?: components["schemas"]["Timestamp"] | null;
            /** @description What they say about it. */
            note?: string | null;
            /** @description Whether the caller may say that they look after it. */
            can_acknowledge: boolean;
            /** @description When it was found. */
            opened_at: components["schemas"]["Timestamp"];
            /** @description When it was found last, to within five minutes. */
            seen_at: components["schemas"]["Timestamp"];
            resolved_at?: components["schemas"]["Timestamp"] | null;
        };
        /** @description The proof that an entry is in the log (RFC 6962 section 2.1.1). */
        InclusionProof: {
            /**
             * Format: int64
             * @description The entry's position, from 1; its index in the tree is one less.
             */
            seq: number;
            /** @description What is hashed: the entry as canonical JSON. The leaf's hash is SHA-256 over a zero byte and these bytes. */
            leaf: string;
            /** @description The leaf's hash, hexadecimal. */
            leaf_hash: string;
            /**
             * Format: int64
             * @description How many entries the head covers.
             */
            size: number;
            /** @description The hashes from the leaf upwards, hexadecimal. */
            hashes: string[];
            /** @description The signed head. */
            note: string;
        };
        /** @description How many instances there are. */
        InstanceCounts: {
            /**
             * Format: int32
             * @description Those that answer or are on their way to it.
             */
            active: number;
            /**
             * Format: int32
             * @description All that are not deleted.
             */
            total: number;
            /**
             * Format: int32
             * @description How many there may be: what the present accounts may have together.
             */
            max: number;
        };
        InstanceId: string;
        /** @description An instance as its owner and administrators see it: life cycle, health and sizes, no content. */
        InstanceView: {
            /** @description Its id; also the agent id of its main agent. */
            id: components["schemas"]["InstanceId"];
            /** @description Its name. */
            name: components["schemas"]["Label"];
            /** @description Whose it is. */
            owner: components["schemas"]["OwnerRef"];
            /** @description What is wanted. */
            wanted: components["schemas"]["WantedState"];
            stop_reason?: components["schemas"]["StopReason"] | null;
            /** @description What was last seen. */
            seen: components["schemas"]["SeenState"];
            /** @description Cause and remedy when it is not well, or what it is doing while it starts. */
            reason?: string | null;
            /**
             * Format: int32
             * @description Place in the queue for a start slot, from 1.
             */
            queue_position?: number | null;
            engine_progress?: components["schemas"]["EngineProgress"] | null;
            /** @description Where it runs. */
            runtime_asset_id: components["schemas"]["RuntimeAssetId"];
            /** @description The engine it runs. */
            engine_id: components["schemas"]["EngineId"];
            /** @description The engine's OpenClaw version. */
            engine_version: string;
            revision_id?: components["schemas"]["RevisionId"] | null;
            /**
             * Format: int64
             * @description Grows with every wanted change.
             */
            generation: number;
            /** @description Whether its model provider answered last time; absent before the first contact. */
            provider_ok?: boolean | null;
            /**
             * Format: int64
             * @description Memory in bytes.
             */
            memory_bytes?: number | null;
            /**
             * Format: int64
             * @description CPU time since start in milliseconds.
             */
            cpu_ms?: number | null;
            /**
             * Format: int64
             * @description Disk in bytes.
             */
            disk_bytes?: number | null;
            /** @description How near that is to its limit. */
            disk_pressure?: components["schemas"]["DiskPressure"];
            /** @description Limits asked for. */
            limits: components["schemas"]["Limits"];
            /**
             * Format: int32
             * @description Starts after unasked ends since it was last well.
             */
            restarts: number;
            /**
             * Format: int32
             * @description Minutes without use after which it goes to sleep.
             */
            idle_timeout_minutes: number;
            operation_id?: components["schemas"]["OperationId"] | null;
            last_active_at?: components["schemas"]["Timestamp"] | null;
            started_at?: components["schemas"]["Timestamp"] | null;
            /** @description When it was made. */
            created_at: components["schemas"]["Timestamp"];
        };
        InvitationId: string;
        /** @description An invitation, without its secret. */
        InvitationView: {
            /** @description Its id. */
            id: components["schemas"]["InvitationId"];
            /** @description The role the new account gets. */
            role: components["schemas"]["Role"];
            username?: components["schemas"]["Username"] | null;
            /** @description When it was made. */
            created_at: components["schemas"]["Timestamp"];
            /** @description When it ends. */
            expires_at: components["schemas"]["Timestamp"];
            used_at?: components["schemas"]["Timestamp"] | null;
        };
        /** @description How the secret keys are. */
        KeyStatus: {
            /**
             * Format: int32
             * @description Which key of the installation is in force, counted from 1.
             */
            generation: number;
            /**
             * Format: int64
             * @description How many older keys of owners still seal something. After a rotation it falls to 0 by itself.
             */
            waiting: number;
        };
        /** @description 1 to 64 characters without control characters, not starting or ending with a space */
        Label: string;
        /** @description What one instance may use. `None` means no limit is asked for. */
        Limits: {
            /**
             * Format: int64
             * @description Resident memory in bytes.
             */
            memory_bytes?: number | null;
            /**
             * Format: int32
             * @description CPU time in thousandths of one core.
             */
            cpu_millis?: number | null;
            /**
             * Format: int32
             * @description Processes and threads.
             */
            processes?: number | null;
            /**
             * Format: int64
             * @description Bytes on disk under the instance's home.
             */
            disk_bytes?: number | null;
            /**
             * Format: int32
             * @description Open files per process.
             */
            open_files?: number | null;
        };
        /** @description What the server says over it. */
        LiveMessage: {
            /**
             * Format: int32
             * @description Its number.
             */
            stream: number;
            /** @enum {string} */
            type: "opened";
        } | {
            /**
             * Format: int32
             * @description The stream's number.
             */
            stream: number;
            /** @description Whole lines. */
            text: string;
            /** @enum {string} */
            type: "text";
        } | {
            /**
             * Format: int32
             * @description The stream's number.
             */
            stream: number;
            /** @description Why. */
            problem: components["schemas"]["Problem"];
            /** @enum {string} */
            type: "refused";
        } | {
            /**
             * Format: int32
             * @description Its number.
             */
            stream: number;
            /** @enum {string} */
            type: "ended";
        };
        /** @description What a client says over the socket of `GET /api/v1/live`, as JSON, one a message. */
        LiveRequest: {
            /**
             * Format: int32
             * @description A number of the client's own choice; it names the stream until its end. At most 32 are open at once.
             */
            stream: number;
            /** @description The address of a route that answers with an event stream, from `/api/v1/` on and with its query. */
            path: string;
            /** @description The id of the last event that was read, where the stream is to go on after it. */
            last_event_id?: string | null;
            /** @enum {string} */
            type: "open";
        } | {
            /**
             * Format: int32
             * @description Its number.
             */
            stream: number;
            /** @enum {string} */
            type: "close";
        };
        /** @description One log line. */
        LogLineView: {
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description `stdout`, `stderr` or `supervisor`. */
            source: string;
            /** @description The line, redacted. */
            text: string;
        };
        /** @description Signs in with a password. */
        Login: {
            /** @description Who. */
            username: components["schemas"]["Username"];
            /**
             * Format: password
             * @description The password.
             */
            password: string;
        };
        /** @description The caller. */
        Me: {
            /** @description Who. */
            id: components["schemas"]["UserId"];
            /** @description The tenant. */
            organization_id: components["schemas"]["OrganizationId"];
            /** @description The sign-in name. */
            username: components["schemas"]["Username"];
            /** @description The name shown to people. */
            display_name: string;
            /** @description What they may do. */
            role: components["schemas"]["Role"];
            /** @description Their language as a BCP 47 tag, when chosen. */
            locale?: string | null;
            /** @description Whether this is the breakglass account. */
            breakglass: boolean;
            /** @description Whether they have a password. */
            has_password: boolean;
            /** @description The identity providers by which they may sign in; without those that were deleted. */
            identity_providers?: components["schemas"]["IdentityProviderId"][];
            password_reset?: components["schemas"]["PasswordReset"] | null;
            /** @description What they may do, as action names, for showing and hiding controls. */
            permissions: string[];
        };
        /** @description A token that was just made. The secret is shown this once. */
        NewApiToken: {
            /** @description The token's row. */
            token: components["schemas"]["ApiTokenView"];
            /** @description The bearer token itself. */
            secret: string;
        };
        /** @description A fresh invitation. The link is shown this once and carries its secret in the fragment. */
        NewInvitation: {
            /** @description The invitation's row. */
            invitation: components["schemas"]["InvitationView"];
            /** @description The path and fragment to open: `/invitation#frk_invite_…`. */
            secret: string;
        };
        /** @description A new webhook, or one with a new secret. The secret is shown this once. */
        NewWebhook: {
            /** @description The webhook. */
            webhook: components["schemas"]["WebhookView"];
            /** @description What its messages are signed with, in the form of Standard Webhooks. */
            secret: string;
        };
        /** @description Makes the first agent. */
        OnboardingAgent: {
            /** @description What it is called. */
            name: components["schemas"]["Label"];
            /** @description How it should be, in words. */
            persona?: string | null;
            /** @description The model it uses, one that the provider offers. */
            model: string;
            provider_id?: components["schemas"]["ProviderId"] | null;
        };
        /** @description The first agent, starting. */
        OnboardingAgentResult: {
            /** @description Its instance. */
            instance_id: components["schemas"]["InstanceId"];
        };
        /** @description Sets up an identity provider, or skips the step. */
        OnboardingOidc: {
            /** @description Skip the step. */
            skip?: boolean;
            provider?: components["schemas"]["CreateIdentityProvider"] | null;
        };
        /** @description The saved provider and how its test went. */
        OnboardingProviderResult: {
            /** @description Its id. */
            id: components["schemas"]["ProviderId"];
            /** @description The test. */
            test: components["schemas"]["ProviderTest"];
        };
        /** @description How far setup is. */
        OnboardingStatus: {
            /** @description Whether it is over. */
            completed: boolean;
            /** @description The steps. */
            steps: components["schemas"]["OnboardingSteps"];
        };
        /** @description The steps of setup, each done or not. */
        OnboardingSteps: {
            /** @description The first administrator exists. */
            breakglass: boolean;
            /** @description An identity provider was set up, or the step was skipped. */
            oidc: boolean;
            /** @description A model provider exists. */
            provider: boolean;
            /** @description The first agent exists. */
            agent: boolean;
        };
        /** @description What the caller may do about an operation now. */
        OperationAbilities: {
            /** @description Have it taken back. */
            cancel: boolean;
            /** @description Try the step again that it got stuck in. */
            retry: boolean;
            /** @description Go on without that step. */
            skip: boolean;
            /** @description Take back what was done, instead of going on. */
            undo: boolean;
        };
        OperationId: string;
        /**
         * @description How far an operation is.
         * @enum {string}
         */
        OperationState: "pending" | "running" | "undoing" | "done" | "undone" | "stuck";
        /** @description One step of an operation. */
        OperationStepView: {
            /** @description What it does, by name. */
            name: string;
            /** @description How far it is. */
            state: components["schemas"]["StepState"];
            /** @description What came out of it; null while nothing has. */
            output?: Record<string, never> | null;
            /** @description Why it failed last. */
            error?: string | null;
            /**
             * Format: int32
             * @description How often it failed in the present direction.
             */
            attempts: number;
            started_at?: components["schemas"]["Timestamp"] | null;
            ended_at?: components["schemas"]["Timestamp"] | null;
            undone_at?: components["schemas"]["Timestamp"] | null;
        };
        /** @description The durable execution of a change. */
        OperationView: {
            /** @description Its id. */
            id: components["schemas"]["OperationId"];
            /** @description What is done, like `instance.change_engine`. */
            kind: string;
            /** @description How far it is. */
            state: components["schemas"]["OperationState"];
            /** @description To which kind of thing. */
            resource_kind: string;
            /** @description To which thing. */
            resource_id: string;
            owner?: components["schemas"]["OwnerRef"] | null;
            by?: components["schemas"]["OwnerRef"] | null;
            proposal_id?: components["schemas"]["ProposalId"] | null;
            /** @description What the steps were given. */
            input: Record<string, never>;
            /** @description Its steps, in order. */
            steps: components["schemas"]["OperationStepView"][];
            /** @description Who cancelled it. */
            cancelled_by?: string | null;
            /** @description Why it did not go as wanted. */
            reason?: string | null;
            /** @description What the caller may do about it now. */
            can: components["schemas"]["OperationAbilities"];
            /** @description When it was asked for. */
            created_at: components["schemas"]["Timestamp"];
            started_at?: components["schemas"]["Timestamp"] | null;
            settled_at?: components["schemas"]["Timestamp"] | null;
        };
        OrganizationId: string;
        /** @description Whose something is. */
        OwnerRef: {
            /** @description Their id. */
            id: components["schemas"]["UserId"];
            /** @description Their sign-in name. */
            username: components["schemas"]["Username"];
        };
        /** @description One page of a list. */
        Page_ApiTokenView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["ApiTokenId"];
                /** @description What it is for. */
                name: components["schemas"]["Label"];
                /** @description Its first and last characters. */
                hint: string;
                /** @description What it may be used for. */
                scopes: components["schemas"]["Scope"][];
                /** @description When it was made. */
                created_at: components["schemas"]["Timestamp"];
                expires_at?: components["schemas"]["Timestamp"] | null;
                last_used_at?: components["schemas"]["Timestamp"] | null;
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_BrowserSessionView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["BrowserSessionId"];
                /** @description When it signed in. */
                created_at: components["schemas"]["Timestamp"];
                /** @description When it was last used, to the minute. */
                last_used_at: components["schemas"]["Timestamp"];
                /** @description When it ends by itself. */
                expires_at: components["schemas"]["Timestamp"];
                /** @description The browser as it named itself. */
                user_agent?: string | null;
                /** @description The network address it came from. */
                address?: string | null;
                /** @description Whether it is the one asking. */
                current: boolean;
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_ChatSession: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its key, as in `ChatRequest::session`. */
                key: string;
                /** @description Its name. */
                title?: string | null;
                updated_at?: components["schemas"]["Timestamp"] | null;
                /** @description The model it used last. */
                model?: string | null;
                /**
                 * Format: int64
                 * @description Tokens so far.
                 */
                total_tokens?: number | null;
                /** @description Where it came from: `chat`, `cron`, `room`, `api` or `other`. */
                origin: string;
                active_run?: components["schemas"]["ChatRunId"] | null;
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_DeliveryView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["DeliveryId"];
                /**
                 * Format: int64
                 * @description The entry's position in the log.
                 */
                seq: number;
                /** @description The entry's action. */
                event: string;
                /** @description The thing it is about, as `kind:id`. Deliveries about one thing keep their order. */
                resource: string;
                /** @description How it stands. */
                state: components["schemas"]["DeliveryStateView"];
                /**
                 * Format: int32
                 * @description How often it was tried.
                 */
                attempts: number;
                next_at?: components["schemas"]["Timestamp"] | null;
                /**
                 * Format: int32
                 * @description The status of the last answer.
                 */
                last_status?: number | null;
                /** @description Why the last attempt failed. */
                last_error?: string | null;
                /** @description When it was put on its way. */
                created_at: components["schemas"]["Timestamp"];
                done_at?: components["schemas"]["Timestamp"] | null;
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_EngineView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["EngineId"];
                /** @description OpenClaw's version. */
                version: string;
                /** @description Node's version. */
                node_version?: string | null;
                /** @description Whether it can be used. */
                state: components["schemas"]["EngineState"];
                progress?: components["schemas"]["EngineProgress"] | null;
                /** @description What is wrong, with the remedy. */
                error?: string | null;
                /** @description Digest of its files. */
                digest?: string | null;
                /** @description When it was first known. */
                created_at: components["schemas"]["Timestamp"];
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_EvidenceView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /**
                 * Format: int64
                 * @description Its position, gapless from 1.
                 */
                seq: number;
                /** @description Its id. */
                id: components["schemas"]["EvidenceId"];
                /** @description When it happened. */
                at: components["schemas"]["Timestamp"];
                /** @description Which kind of principal acted. */
                actor_kind: string;
                /** @description Which; empty for the system. */
                actor_id: string;
                /** @description The sign-in name of a person who is still there. */
                actor_name?: string | null;
                /** @description How they proved it. */
                via: string;
                /** @description What was done. */
                action: string;
                /** @description To what kind of thing. */
                resource_kind: string;
                /** @description To which. */
                resource_id: string;
                /** @description How it ended. */
                outcome: string;
                /** @description Why: the deciding policies. */
                decision: Record<string, never>;
                /** @description What changed, as far as it may be seen by the caller and was not erased. */
                values: Record<string, never>;
                /** @description Every value's commitment, also of those not shown: field to hexadecimal digits. */
                commitments: Record<string, never>;
                /** @description Names of values that the caller may see and that were erased. It is the server's word: a commitment alone tells nothing. */
                erased?: string[];
                /** @description The request that caused it. */
                request_id?: string | null;
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_IdentityProviderView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["IdentityProviderId"];
                /** @description Its name on the sign-in button. */
                name: components["schemas"]["Label"];
                /** @description The issuer address. */
                issuer: string;
                /** @description Our client id there. */
                client_id: string;
                /** @description Whether a client secret is stored. */
                has_client_secret: boolean;
                /** @description Scopes asked for besides `openid`. */
                scopes: string[];
                /** @description Whether people may sign in with it. */
                enabled: boolean;
                /** @description Whether an unknown person gets a member account. */
                auto_provision: boolean;
                /** @description Whether the issuer may be on a private or loopback address. */
                allow_private_network: boolean;
                /** @description The redirect address to register there. */
                redirect_uri: string;
                /** @description When it was made. */
                created_at: components["schemas"]["Timestamp"];
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_IncidentView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["IncidentId"];
                /** @description The check that found it. */
                check: string;
                /** @description How bad it is. */
                severity: components["schemas"]["Severity"];
                /** @description Whether it goes on. */
                state: components["schemas"]["IncidentState"];
                /** @description What was found, in words. */
                finding: string;
                /** @description What to do about it. */
                remedy?: string | null;
                /** @description What Fractal did about it at once, in words. */
                patch?: string | null;
                /**
                 * Format: int32
                 * @description How often it did.
                 */
                attempts: number;
                /** @description About which kind of thing. */
                resource_kind: string;
                /** @description About which thing. */
                resource_id: string;
                owner?: components["schemas"]["OwnerRef"] | null;
                acknowledged_by?: components["schemas"]["OwnerRef"] | null;
                acknowledged_at?: components["schemas"]["Timestamp"] | null;
                /** @description What they say about it. */
                note?: string | null;
                /** @description Whether the caller may say that they look after it. */
                can_acknowledge: boolean;
                /** @description When it was found. */
                opened_at: components["schemas"]["Timestamp"];
                /** @description When it was found last, to within five minutes. */
                seen_at: components["schemas"]["Timestamp"];
                resolved_at?: components["schemas"]["Timestamp"] | null;
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_InstanceView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id; also the agent id of its main agent. */
                id: components["schemas"]["InstanceId"];
                /** @description Its name. */
                name: components["schemas"]["Label"];
                /** @description Whose it is. */
                owner: components["schemas"]["OwnerRef"];
                /** @description What is wanted. */
                wanted: components["schemas"]["WantedState"];
                stop_reason?: components["schemas"]["StopReason"] | null;
                /** @description What was last seen. */
                seen: components["schemas"]["SeenState"];
                /** @description Cause and remedy when it is not well, or what it is doing while it starts. */
                reason?: string | null;
                /**
                 * Format: int32
                 * @description Place in the queue for a start slot, from 1.
                 */
                queue_position?: number | null;
                engine_progress?: components["schemas"]["EngineProgress"] | null;
                /** @description Where it runs. */
                runtime_asset_id: components["schemas"]["RuntimeAssetId"];
                /** @description The engine it runs. */
                engine_id: components["schemas"]["EngineId"];
                /** @description The engine's OpenClaw version. */
                engine_version: string;
                revision_id?: components["schemas"]["RevisionId"] | null;
                /**
                 * Format: int64
                 * @description Grows with every wanted change.
                 */
                generation: number;
                /** @description Whether its model provider answered last time; absent before the first contact. */
                provider_ok?: boolean | null;
                /**
                 * Format: int64
                 * @description Memory in bytes.
                 */
                memory_bytes?: number | null;
                /**
                 * Format: int64
                 * @description CPU time since start in milliseconds.
                 */
                cpu_ms?: number | null;
                /**
                 * Format: int64
                 * @description Disk in bytes.
                 */
                disk_bytes?: number | null;
                /** @description How near that is to its limit. */
                disk_pressure?: components["schemas"]["DiskPressure"];
                /** @description Limits asked for. */
                limits: components["schemas"]["Limits"];
                /**
                 * Format: int32
                 * @description Starts after unasked ends since it was last well.
                 */
                restarts: number;
                /**
                 * Format: int32
                 * @description Minutes without use after which it goes to sleep.
                 */
                idle_timeout_minutes: number;
                operation_id?: components["schemas"]["OperationId"] | null;
                last_active_at?: components["schemas"]["Timestamp"] | null;
                started_at?: components["schemas"]["Timestamp"] | null;
                /** @description When it was made. */
                created_at: components["schemas"]["Timestamp"];
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_InvitationView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["InvitationId"];
                /** @description The role the new account gets. */
                role: components["schemas"]["Role"];
                username?: components["schemas"]["Username"] | null;
                /** @description When it was made. */
                created_at: components["schemas"]["Timestamp"];
                /** @description When it ends. */
                expires_at: components["schemas"]["Timestamp"];
                used_at?: components["schemas"]["Timestamp"] | null;
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_LogLineView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description When. */
                at: components["schemas"]["Timestamp"];
                /** @description `stdout`, `stderr` or `supervisor`. */
                source: string;
                /** @description The line, redacted. */
                text: string;
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_OperationView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["OperationId"];
                /** @description What is done, like `instance.change_engine`. */
                kind: string;
                /** @description How far it is. */
                state: components["schemas"]["OperationState"];
                /** @description To which kind of thing. */
                resource_kind: string;
                /** @description To which thing. */
                resource_id: string;
                owner?: components["schemas"]["OwnerRef"] | null;
                by?: components["schemas"]["OwnerRef"] | null;
                proposal_id?: components["schemas"]["ProposalId"] | null;
                /** @description What the steps were given. */
                input: Record<string, never>;
                /** @description Its steps, in order. */
                steps: components["schemas"]["OperationStepView"][];
                /** @description Who cancelled it. */
                cancelled_by?: string | null;
                /** @description Why it did not go as wanted. */
                reason?: string | null;
                /** @description What the caller may do about it now. */
                can: components["schemas"]["OperationAbilities"];
                /** @description When it was asked for. */
                created_at: components["schemas"]["Timestamp"];
                started_at?: components["schemas"]["Timestamp"] | null;
                settled_at?: components["schemas"]["Timestamp"] | null;
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_PolicyVersionView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /**
                 * Format: int64
                 * @description Its number; the largest is in force.
                 */
                version: number;
                /** @description Whether it is in force. */
                in_force: boolean;
                /** @description Why, in the words of who wrote it. */
                comment: string;
                author?: components["schemas"]["OwnerRef"] | null;
                /** @description The rules, in Cedar. */
                text: string;
                /** @description The tests it passed. */
                tests: components["schemas"]["PolicyTest"][];
                /** @description When it was put in force. */
                created_at: components["schemas"]["Timestamp"];
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_ProposalView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["ProposalId"];
                /** @description How far it is. */
                state: components["schemas"]["ProposalState"];
                /** @description Who asked for it. */
                requester: components["schemas"]["OwnerRef"];
                /** @description What it does, like `provider.delete`. */
                action: string;
                /** @description To which kind of thing. */
                resource_kind: string;
                /** @description To which thing; absent for one that will be made. */
                resource_id?: string | null;
                /** @description What the thing is called, where that may be seen. */
                resource_name?: string | null;
                /** @description Whether it touches what is private to who asked; then nobody else sees what would happen. */
                private: boolean;
                request?: components["schemas"]["ProposalRequest"] | null;
                simulation?: components["schemas"]["DryRun"] | null;
                /** @description The approvals that rules ask for. */
                demands: components["schemas"]["PolicyApproval"][];
                /** @description The rules that ask for them. */
                policies: string[];
                /** @description What was said about it, oldest first. */
                votes: components["schemas"]["ProposalVoteView"][];
                /** @description What an approval binds to; give it back when you approve. */
                digest: string;
                /** @description Why it ended as it did. */
                reason?: string | null;
                /** @description What the caller may do about it now. */
                can: components["schemas"]["ProposalAbilities"];
                /** @description When it was asked for. */
                created_at: components["schemas"]["Timestamp"];
                /** @description When it ends by itself. */
                expires_at: components["schemas"]["Timestamp"];
                approved_at?: components["schemas"]["Timestamp"] | null;
                settled_at?: components["schemas"]["Timestamp"] | null;
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_ProviderView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["ProviderId"];
                /** @description Its name. */
                name: components["schemas"]["Label"];
                /** @description Its kind. */
                type: components["schemas"]["ProviderKind"];
                /** @description The wire it speaks. */
                wire: components["schemas"]["Wire"];
                /** @description Its address, when not the kind's own. */
                base_url?: string | null;
                /** @description The last characters of the key; absent when none is stored. */
                key_hint?: string | null;
                /** @description Whether everybody in the organization may use it. */
                shared: boolean;
                /** @description Whether the caller may change it, at least once somebody approves. */
                editable: boolean;
                /** @description Whether the caller may delete it, at least once somebody approves. */
                deletable: boolean;
                /** @description The models it offers, as last listed or as given. */
                models: string[];
                /** @description Whether it may be on a private or loopback address. */
                allow_private_network: boolean;
                /** @description Whether the last contact went well; absent before the first. */
                ok?: boolean | null;
                /** @description Why not, in words for people. */
                error?: string | null;
                checked_at?: components["schemas"]["Timestamp"] | null;
                /** @description When it was made. */
                created_at: components["schemas"]["Timestamp"];
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_RuntimeAssetView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["RuntimeAssetId"];
                /** @description Its name. */
                name: string;
                /** @description `process` here. */
                kind: string;
                /** @description Whether it can be asked. */
                healthy: boolean;
                /**
                 * Format: int32
                 * @description Instances on it.
                 */
                instances: number;
                /**
                 * Format: int32
                 * @description Instances that may start at the same time.
                 */
                start_slots: number;
                /** @description What it promises. */
                capabilities: components["schemas"]["CapabilitiesView"];
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_SkillCredentialView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["SkillCredentialId"];
                /** @description For which skill. */
                skill: components["schemas"]["SkillKey"];
                /** @description The variable. */
                name: components["schemas"]["VariableName"];
                /** @description The last characters of the value, when it is long enough. */
                hint: string;
                /** @description When it was first stored. */
                created_at: components["schemas"]["Timestamp"];
                /** @description When it was last stored. */
                updated_at: components["schemas"]["Timestamp"];
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_TimelineEntry: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description The evidence entry behind it. */
                id: components["schemas"]["EvidenceId"];
                /** @description When. */
                at: components["schemas"]["Timestamp"];
                /** @description What, as an action name such as `instance.start` or `instance.seen`. */
                action: string;
                /** @description Who, as kind and id. */
                actor: string;
                /** @description `done`, `refused` or a state. */
                outcome: string;
                /** @description Details that are not personal: states, reasons, sizes. */
                detail: unknown;
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_UserView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Their id. */
                id: components["schemas"]["UserId"];
                /** @description Their sign-in name. */
                username: components["schemas"]["Username"];
                /** @description The name shown to people. */
                display_name: string;
                /** @description What they may do. */
                role: components["schemas"]["Role"];
                /** @description Whether they may sign in. */
                active: boolean;
                /** @description Whether this is the breakglass account. */
                breakglass: boolean;
                /** @description Ways they sign in: `password`, `oidc`. */
                sign_in: string[];
                /**
                 * Format: int32
                 * @description How many instances they have.
                 */
                instances: number;
                /** @description When the account was made. */
                created_at: components["schemas"]["Timestamp"];
                last_seen_at?: components["schemas"]["Timestamp"] | null;
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_WebhookView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["WebhookId"];
                /** @description What people call it. */
                name: components["schemas"]["Label"];
                /** @description Where to. */
                url: string;
                /** @description Which actions: names like `instance.start`, kinds like `instance.`, or `*`. */
                events: string[];
                /** @description Whether it is told anything. */
                enabled: boolean;
                /** @description Whether it may be on a private or loopback address. */
                allow_private_network: boolean;
                /**
                 * Format: int64
                 * @description Entries on their way to it.
                 */
                waiting: number;
                /**
                 * Format: int64
                 * @description Entries that were given up; they can be replayed.
                 */
                dead: number;
                /**
                 * Format: int32
                 * @description The status of its last answer.
                 */
                last_status?: number | null;
                /** @description Why the last attempt failed; absent when it did not. */
                last_error?: string | null;
                last_delivered_at?: components["schemas"]["Timestamp"] | null;
                /** @description When it was made. */
                created_at: components["schemas"]["Timestamp"];
                /** @description When it was changed. */
                updated_at: components["schemas"]["Timestamp"];
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description One page of a list. */
        Page_WitnessView: {
            /** @description The entries, newest first unless the route says otherwise. */
            items: {
                /** @description Its id. */
                id: components["schemas"]["WitnessId"];
                /** @description The name in its key. */
                name: string;
                /** @description What its addresses begin with; `/add-checkpoint` is added. */
                url: string;
                /** @description The key that verifies its cosignatures, `name+id+key`. */
                key: string;
                /** @description Whether it may be on a private or loopback address. */
                allow_private_network: boolean;
                /** @description How the last time ended that it was asked. */
                state: components["schemas"]["WitnessStateView"];
                /**
                 * Format: int64
                 * @description The size it cosigned last: it vouches for so many entries. 0 before the first.
                 */
                size: number;
                cosigned_at?: components["schemas"]["Timestamp"] | null;
                /** @description Why it did not cosign; absent when it did. */
                last_error?: string | null;
                failing_since?: components["schemas"]["Timestamp"] | null;
                /** @description It is not asked before. */
                next_at: components["schemas"]["Timestamp"];
                /** @description When it was added. */
                created_at: components["schemas"]["Timestamp"];
            }[];
            /** @description Pass it as `cursor` for the next page; absent on the last one. */
            next_cursor?: string | null;
        };
        /** @description Somebody set a person's password in their place, and could have signed in as them. */
        PasswordReset: {
            /** @description The sign-in name of who did it, as it was then. */
            by: string;
            /** @description When. */
            at: components["schemas"]["Timestamp"];
        };
        /** @description Who asks. */
        PolicyActor: {
            /** @description A person of the installation, by id or sign-in name; then the role is theirs. Not in tests, which must not depend on who is there. */
            user?: string | null;
            role?: components["schemas"]["Role"] | null;
            kind?: components["schemas"]["PolicyActorKind"] | null;
            via?: components["schemas"]["Via"] | null;
            /** @description The scopes of the token, when one is used. */
            scopes?: components["schemas"]["Scope"][] | null;
            /** @description Whether it is the breakglass account. */
            breakglass?: boolean;
        };
        /**
         * @description A kind of actor.
         * @enum {string}
         */
        PolicyActorKind: "user" | "instance" | "system";
        /** @description An approval that is asked for. */
        PolicyApproval: {
            /** @description The role the approvers must at least have. */
            role: components["schemas"]["Role"];
            /**
             * Format: int32
             * @description How many different people must approve.
             */
            count: number;
        };
        /** @description Equal decisions that would come out otherwise. */
        PolicyChange: {
            who?: components["schemas"]["OwnerRef"] | null;
            /** @description What was asked. */
            action: string;
            /** @description The kind of thing. */
            resource_kind: string;
            /** @description The thing, unless it is private to somebody. */
            resource_id?: string | null;
            /** @description What came out. */
            before: components["schemas"]["PolicyOutcome"];
            /** @description What would come out. */
            after: components["schemas"]["PolicyDecision"];
            /**
             * Format: int64
             * @description How often.
             */
            times: number;
            /** @description When last. */
            last_at: components["schemas"]["Timestamp"];
        };
        /** @description What rules are worth. */
        PolicyCheck: {
            /** @description Whether they could be put in force. */
            ok: boolean;
            /** @description The names of the rules in the text. */
            policies: string[];
            /** @description What is wrong with the text, in its order. */
            findings: components["schemas"]["PolicyFinding"][];
            /** @description How the tests went; empty while the text has errors. */
            tests: components["schemas"]["PolicyTestResult"][];
        };
        /** @description A decision and its reasons. */
        PolicyDecision: {
            /** @description What came out. */
            outcome: components["schemas"]["PolicyOutcome"];
            /** @description Why it is a refusal: `not_permitted`, `forbidden`, `not_applicable` or `broken`. */
            reason?: string | null;
            /** @description The rules that determined it. */
            policies: string[];
            /** @description Who must approve first. */
            approvals: components["schemas"]["PolicyApproval"][];
        };
        /** @description One thing that is wrong with a text of rules. */
        PolicyFinding: {
            /** @description `error` or `warning`. */
            severity: string;
            /**
             * Format: int64
             * @description The line, from 1.
             */
            line: number;
            /**
             * Format: int64
             * @description The character in the line, from 1.
             */
            column: number;
            /** @description The rule, where one could be told. */
            policy?: string | null;
            /** @description What is wrong. */
            message: string;
            /** @description What may help. */
            help?: string | null;
        };
        /** @description Recorded decisions asked again. */
        PolicyImpact: {
            /**
             * Format: int64
             * @description How many recorded decisions were asked again.
             */
            asked: number;
            since?: components["schemas"]["Timestamp"] | null;
            /**
             * Format: int64
             * @description How many would now be refused.
             */
            refused: number;
            /**
             * Format: int64
             * @description How many would now be allowed.
             */
            allowed: number;
            /**
             * Format: int64
             * @description How many would now wait for an approval.
             */
            held: number;
            /** @description The different ones, equal ones together, the most frequent first; at most 100. */
            changes: components["schemas"]["PolicyChange"][];
        };
        /**
         * @description What comes out of a decision.
         * @enum {string}
         */
        PolicyOutcome: "allow" | "deny" | "needs_approval";
        /**
         * @description Whose a thing is.
         * @enum {string}
         */
        PolicyOwner: "self" | "other" | "organization";
        /** @description A question to the rules: who wants to do what to which thing. */
        PolicyRequest: {
            /** @description Who. */
            actor: components["schemas"]["PolicyActor"];
            /** @description What, like `instance.delete`. */
            action: string;
            /** @description To which thing. */
            resource: components["schemas"]["PolicyResource"];
            /** @description Whether the approvals that rules ask for were given. */
            approved?: boolean;
        };
        /** @description Which thing. */
        PolicyResource: {
            /** @description The noun, like `instance`, `provider` or `user`. */
            kind: string;
            /** @description A real instance, provider or person, by id. Not in tests. */
            id?: string | null;
            owner?: components["schemas"]["PolicyOwner"] | null;
            role?: components["schemas"]["Role"] | null;
            becomes?: components["schemas"]["Role"] | null;
        };
        /** @description One rule of the release. */
        PolicyRule: {
            /** @description Its name, as decisions give it. */
            id: string;
            /** @description `permit` or `forbid`. */
            effect: string;
            /** @description What it does. */
            description: string;
            /** @description Its text in Cedar. */
            text: string;
        };
        /** @description What rules would do. */
        PolicySimulation: {
            decision?: components["schemas"]["PolicyDecision"] | null;
            impact?: components["schemas"]["PolicyImpact"] | null;
        };
        /** @description Something that must hold. */
        PolicyTest: {
            /** @description What it shows, in words. */
            name: string;
            /** @description The question. */
            request: components["schemas"]["PolicyRequest"];
            /** @description The answer it must get. */
            expect: components["schemas"]["PolicyOutcome"];
        };
        /** @description How a test went. */
        PolicyTestResult: {
            /** @description The test. */
            name: string;
            /** @description Whether it got its answer. */
            ok: boolean;
            /** @description The answer it must get. */
            expect: components["schemas"]["PolicyOutcome"];
            /** @description The answer it got. */
            decision: components["schemas"]["PolicyDecision"];
        };
        /** @description A version of the added rules. */
        PolicyVersionView: {
            /**
             * Format: int64
             * @description Its number; the largest is in force.
             */
            version: number;
            /** @description Whether it is in force. */
            in_force: boolean;
            /** @description Why, in the words of who wrote it. */
            comment: string;
            author?: components["schemas"]["OwnerRef"] | null;
            /** @description The rules, in Cedar. */
            text: string;
            /** @description The tests it passed. */
            tests: components["schemas"]["PolicyTest"][];
            /** @description When it was put in force. */
            created_at: components["schemas"]["Timestamp"];
        };
        /** @description The rules in force. */
        PolicyView: {
            /**
             * Format: int64
             * @description The number of the version in force; 0 while nothing was ever added.
             */
            version: number;
            /** @description The added rules, in Cedar; empty for none. */
            text: string;
            /** @description The tests that every further version has to pass, too, unless it changes them. */
            tests: components["schemas"]["PolicyTest"][];
            /** @description The rules of this release, which nothing can take away. */
            builtin: components["schemas"]["PolicyRule"][];
            /** @description The types and actions that rules may name, as a Cedar schema. */
            schema: string;
        };
        /** @description What went wrong, for people (`title`, `detail`, `remedy`) and programs (`code`, `errors`). */
        Problem: {
            /** @description Where the code is explained, relative to the documentation: `/docs/problems#code`. */
            type: string;
            /** @description The code in words. */
            title: string;
            /**
             * Format: int32
             * @description The HTTP status, repeated.
             */
            status: number;
            /** @description The stable code. */
            code: components["schemas"]["ProblemCode"];
            /** @description The cause in this case. */
            detail?: string | null;
            /** @description What to do about it. */
            remedy?: string | null;
            /** @description Which fields were wrong, when fields were. */
            errors?: components["schemas"]["FieldError"][];
            /** @description Quote it when asking for help; the same id stands in the server's log. */
            request_id: string;
        };
        /**
         * @description The stable codes. A code never changes its meaning.
         * @enum {string}
         */
        ProblemCode: "malformed-body" | "invalid-fields" | "invalid-parameter" | "body-too-large" | "unsupported-media-type" | "unauthenticated" | "wrong-credentials" | "setup-token-refused" | "invitation-refused" | "sign-in-failed" | "forbidden" | "cross-site" | "wrong-instance" | "not-found" | "method-not-allowed" | "upgrade-required" | "already-exists" | "conflict" | "setup-done" | "instance-stopped" | "run-gone" | "approval-needed" | "wrong-host" | "too-many-attempts" | "provider-failed" | "instance-failed" | "unavailable" | "internal";
        ProfileId: string;
        /** @description How the caller's agent is and which model it uses. */
        ProfileView: {
            /** @description Its id. */
            id: components["schemas"]["ProfileId"];
            /** @description What the agent is called. */
            agent_name: components["schemas"]["Label"];
            /** @description How it should be, in words. */
            persona: string;
            /** @description What it should know about its person. */
            about_me: string;
            provider_id?: components["schemas"]["ProviderId"] | null;
            /** @description Its model. */
            model?: string | null;
            /** @description What it may do on its machine. */
            tools: components["schemas"]["ToolAccess"];
            /**
             * Format: int32
             * @description Minutes between heartbeats; 0 for none.
             */
            heartbeat_minutes: number;
            /** @description Whether it may plan its own timed work. */
            cron_enabled: boolean;
            /**
             * Format: int32
             * @description Minutes without use after which it goes to sleep.
             */
            idle_timeout_minutes: number;
            /** @description When it was last changed. */
            updated_at: components["schemas"]["Timestamp"];
        };
        /** @description What the caller may do about a proposal now. */
        ProposalAbilities: {
            /** @description Approve it. */
            approve: boolean;
            /** @description Reject it. */
            reject: boolean;
            /** @description Withdraw it. */
            withdraw: boolean;
            /** @description Fetch what the change answered. */
            collect: boolean;
        };
        /** @description What a carried out change answered. It is given out once. */
        ProposalAnswer: {
            /** @description The body that the change's own call answers, new secrets included. */
            answer: Record<string, never>;
        };
        ProposalId: string;
        /** @description What was asked for, as a call of this API. */
        ProposalRequest: {
            /** @description The operation of the API document, like `deleteProvider`. */
            operation: string;
            /** @description `POST`, `PUT`, `PATCH` or `DELETE`. */
            method: string;
            /** @description Path and query. */
            address: string;
            /** @description The body with every field that was given, but without its secrets; absent when there is none. */
            body?: Record<string, never> | null;
            /** @description The secrets that were given, as JSON pointers into the body. */
            secrets: string[];
        };
        /** @description What a change would do now, beside what it would have done when it was asked for. */
        ProposalSimulation: {
            now?: components["schemas"]["DryRun"] | null;
            /** @description Why it could not be carried out now. */
            problem?: string | null;
            then?: components["schemas"]["DryRun"] | null;
            /** @description Whether the two differ. */
            changed: boolean;
        };
        /**
         * @description How far a proposal is.
         * @enum {string}
         */
        ProposalState: "open" | "approved" | "done" | "failed" | "rejected" | "withdrawn" | "expired";
        /** @description A change that waits for approval, or waited. */
        ProposalView: {
            /** @description Its id. */
            id: components["schemas"]["ProposalId"];
            /** @description How far it is. */
            state: components["schemas"]["ProposalState"];
            /** @description Who asked for it. */
            requester: components["schemas"]["OwnerRef"];
            /** @description What it does, like `provider.delete`. */
            action: string;
            /** @description To which kind of thing. */
            resource_kind: string;
            /** @description To which thing; absent for one that will be made. */
            resource_id?: string | null;
            /** @description What the thing is called, where that may be seen. */
            resource_name?: string | null;
            /** @description Whether it touches what is private to who asked; then nobody else sees what would happen. */
            private: boolean;
            request?: components["schemas"]["ProposalRequest"] | null;
            simulation?: components["schemas"]["DryRun"] | null;
            /** @description The approvals that rules ask for. */
            demands: components["schemas"]["PolicyApproval"][];
            /** @description The rules that ask for them. */
            policies: string[];
            /** @description What was said about it, oldest first. */
            votes: components["schemas"]["ProposalVoteView"][];
            /** @description What an approval binds to; give it back when you approve. */
            digest: string;
            /** @description Why it ended as it did. */
            reason?: string | null;
            /** @description What the caller may do about it now. */
            can: components["schemas"]["ProposalAbilities"];
            /** @description When it was asked for. */
            created_at: components["schemas"]["Timestamp"];
            /** @description When it ends by itself. */
            expires_at: components["schemas"]["Timestamp"];
            approved_at?: components["schemas"]["Timestamp"] | null;
            settled_at?: components["schemas"]["Timestamp"] | null;
        };
        /** @description What somebody said about a proposal. */
        ProposalVoteView: {
            by?: components["schemas"]["OwnerRef"] | null;
            /** @description Their role then. */
            role: components["schemas"]["Role"];
            /** @description What they said. */
            verdict: components["schemas"]["Verdict"];
            /** @description In their words; may be empty. */
            comment: string;
            /** @description When. */
            at: components["schemas"]["Timestamp"];
        };
        /** @description Why a provider did not answer. */
        ProviderFault: {
            /** @description The class of fault. */
            code: components["schemas"]["ProviderFaultCode"];
            /** @description Cause in words. */
            message: string;
            /** @description What to do about it. */
            remedy: string;
        };
        /**
         * @description The classes of provider faults.
         * @enum {string}
         */
        ProviderFaultCode: "not_configured" | "key_missing" | "key_refused" | "quota_exceeded" | "rate_limited" | "model_unknown" | "bad_request" | "provider_error" | "unreachable" | "address_refused" | "timeout";
        ProviderId: string;
        /**
         * @description A model provider's kind; it fixes the wire format and the default address.
         * @enum {string}
         */
        ProviderKind: "anthropic" | "openai" | "google" | "openrouter" | "xai" | "openai_compatible" | "anthropic_compatible" | "demo";
        /** @description How a tiny call to a provider went. */
        ProviderTest: {
            /** @description Whether it answered. */
            ok: boolean;
            /**
             * Format: int64
             * @description How long it took, in milliseconds.
             */
            latency_ms: number;
            /** @description The models it offers. */
            models: string[];
            error?: components["schemas"]["ProviderFault"] | null;
        };
        /** @description A model provider, without its key. */
        ProviderView: {
            /** @description Its id. */
            id: components["schemas"]["ProviderId"];
            /** @description Its name. */
            name: components["schemas"]["Label"];
            /** @description Its kind. */
            type: components["schemas"]["ProviderKind"];
            /** @description The wire it speaks. */
            wire: components["schemas"]["Wire"];
            /** @description Its address, when not the kind's own. */
            base_url?: string | null;
            /** @description The last characters of the key; absent when none is stored. */
            key_hint?: string | null;
            /** @description Whether everybody in the organization may use it. */
            shared: boolean;
            /** @description Whether the caller may change it, at least once somebody approves. */
            editable: boolean;
            /** @description Whether the caller may delete it, at least once somebody approves. */
            deletable: boolean;
            /** @description The models it offers, as last listed or as given. */
            models: string[];
            /** @description Whether it may be on a private or loopback address. */
            allow_private_network: boolean;
            /** @description Whether the last contact went well; absent before the first. */
            ok?: boolean | null;
            /** @description Why not, in words for people. */
            error?: string | null;
            checked_at?: components["schemas"]["Timestamp"] | null;
            /** @description When it was made. */
            created_at: components["schemas"]["Timestamp"];
        };
        /** @description Rejects a proposal. */
        RejectProposal: {
            /** @description Why, for who asked and for the log. */
            comment: string;
        };
        /** @description Gives an account a new password (for people who lost theirs). */
        ResetPassword: {
            /**
             * Format: password
             * @description The new password, at least 12 characters.
             */
            password: string;
        };
        /** @description Answers an approval. */
        ResolveApproval: {
            /** @description The word. */
            decision: components["schemas"]["ApprovalDecision"];
        };
        RevisionId: string;
        /**
         * @description What a person may do, in one word; what it means stands in the policies.
         * @enum {string}
         */
        Role: "member" | "auditor" | "admin" | "owner";
        /** @description Replaces a token; both work during the overlap. */
        RotateApiToken: {
            /**
             * Format: int32
             * @description Minutes the old one keeps working, up to a week; 60 when absent.
             */
            overlap_minutes?: number | null;
        };
        RuntimeAssetId: string;
        /** @description A machine surface that hosts instances. */
        RuntimeAssetView: {
            /** @description Its id. */
            id: components["schemas"]["RuntimeAssetId"];
            /** @description Its name. */
            name: string;
            /** @description `process` here. */
            kind: string;
            /** @description Whether it can be asked. */
            healthy: boolean;
            /**
             * Format: int32
             * @description Instances on it.
             */
            instances: number;
            /**
             * Format: int32
             * @description Instances that may start at the same time.
             */
            start_slots: number;
            /** @description What it promises. */
            capabilities: components["schemas"]["CapabilitiesView"];
        };
        /**
         * @description What an API token may be used for; a subset of what its owner may do.
         * @enum {string}
         */
        Scope: "all" | "read" | "chat";
        /**
         * @description What was last seen of an instance.
         * @enum {string}
         */
        SeenState: "pending" | "starting" | "ready" | "busy" | "stopping" | "frozen" | "stopped" | "crash_looping" | "failed" | "unreachable";
        /** @description An event of a session that another tab, a timer or a room caused. */
        SessionEvent: {
            /** @description Its id. */
            run_id: components["schemas"]["ChatRunId"];
            /** @enum {string} */
            type: "run_started";
        } | {
            /** @enum {string} */
            type: "changed";
        };
        /** @description Sets what an instance may use; for administrators. */
        SetInstanceLimits: {
            /**
             * Format: int64
             * @description Bytes its files may take, 256 MiB to 64 TiB.
             */
            disk_bytes: number;
        };
        /** @description Stores an environment variable for a skill, in place of an older value. */
        SetSkillCredential: {
            /** @description For which skill. */
            skill: components["schemas"]["SkillKey"];
            /** @description The variable. */
            name: components["schemas"]["VariableName"];
            /**
             * Format: password
             * @description Its value. It is given to the agent, because the skill's own program needs it, and to nobody else; no answer carries it.
             */
            value: string;
        };
        /** @description Settings of the installation. */
        SettingsView: {
            /** @description The address people use, when it is not the listening one. */
            public_url?: string | null;
            /** @description Host names that are answered besides loopback and the public one. */
            allowed_hosts: string[];
            /** @description Networks (CIDR) whose `X-Forwarded-For` is believed. */
            trusted_proxies: string[];
            /**
             * Format: int32
             * @description Minutes without use after which a new instance goes to sleep.
             */
            idle_timeout_minutes: number;
            /**
             * Format: int32
             * @description Seconds between two times that a witness of the log is asked.
             */
            witness_interval_seconds: number;
            /**
             * Format: int32
             * @description Days that values of the log are kept; 0 for ever.
             */
            value_retention_days: number;
            /** @description The risk of the reduced runtime was accepted, so that more than one person may use it. */
            reduced_isolation_accepted: boolean;
        };
        /**
         * @description How bad a finding is.
         * @enum {string}
         */
        Severity: "good" | "attention" | "failed";
        /** @description How one may sign in here. */
        SignInMethods: {
            /** @description Whether passwords are taken (always, for breakglass). */
            password: boolean;
            /** @description The identity providers, in order. */
            oidc: components["schemas"]["SignInProvider"][];
        };
        /** @description One identity provider on the sign-in page; opened at `/api/v1/auth/oidc/{id}/start`. */
        SignInProvider: {
            /** @description Its id. */
            id: components["schemas"]["IdentityProviderId"];
            /** @description Its name on the button. */
            name: components["schemas"]["Label"];
        };
        /**
         * @description Why a sign-in through an identity provider did not come about. The browser is sent to the sign-in page, whose fragment then has it as
         *     `reason` beside the problem's code as `error`. A reason never changes its meaning.
         * @enum {string}
         */
        SignInReason: "unreachable" | "address-refused" | "not-described" | "other-issuer" | "not-begun" | "cancelled" | "declined" | "client-refused" | "code-refused" | "not-understood" | "no-id-token" | "clock" | "other-sign-in" | "other-client" | "wrong-signature" | "no-account" | "linked-elsewhere" | "link-over" | "link-stale" | "no-free-name";
        /** @description Asks rules without changing anything. */
        SimulatePolicy: {
            /** @description The added rules to ask, in Cedar; those in force when absent. */
            text?: string | null;
            request?: components["schemas"]["PolicyRequest"] | null;
        };
        SkillCredentialId: string;
        /** @description An environment variable stored for a skill, without its value. */
        SkillCredentialView: {
            /** @description Its id. */
            id: components["schemas"]["SkillCredentialId"];
            /** @description For which skill. */
            skill: components["schemas"]["SkillKey"];
            /** @description The variable. */
            name: components["schemas"]["VariableName"];
            /** @description The last characters of the value, when it is long enough. */
            hint: string;
            /** @description When it was first stored. */
            created_at: components["schemas"]["Timestamp"];
            /** @description When it was last stored. */
            updated_at: components["schemas"]["Timestamp"];
        };
        /** @description 1 to 64 letters, digits, dots, dashes or underscores, starting with a letter or digit */
        SkillKey: string;
        /** @description What an agent's skills are. */
        SkillList: {
            /** @description Those that can be used first, then those that lack variables, those this machine cannot offer, those turned off. */
            items: components["schemas"]["SkillView"][];
        };
        /** @description What a skill lacks; everything empty when nothing. */
        SkillMissing: {
            /** @description Environment variables. */
            env: string[];
            /** @description Programs. */
            bins: string[];
            /** @description Programs of which one would do. */
            any_bins: string[];
            /** @description Settings of the gateway. */
            config: string[];
            /** @description Operating systems it runs on. */
            os: string[];
        };
        /**
         * @description Whether a skill can be used.
         * @enum {string}
         */
        SkillState: "active" | "needs_credentials" | "not_available" | "inactive";
        /** @description A skill of an agent, as its gateway tells it. */
        SkillView: {
            /** @description What its gateway knows it by. */
            key: string;
            /** @description What it is called. */
            name: string;
            /** @description What it is for. */
            description: string;
            /** @description A sign shown beside the name. */
            emoji?: string | null;
            /** @description Where to read more. */
            homepage?: string | null;
            /** @description Whether it can be used, or the first thing in the way. */
            state: components["schemas"]["SkillState"];
            /** @description Whether the agent can use it now. */
            eligible: boolean;
            /** @description The variables it asks for. */
            variables: string[];
            /** @description What it lacks. */
            missing: components["schemas"]["SkillMissing"];
        };
        /**
         * @description How far a step of an operation is.
         * @enum {string}
         */
        StepState: "pending" | "running" | "done" | "failed" | "undoing" | "undone" | "skipped";
        /**
         * @description Why an instance is wanted stopped. Only an idle one is woken by a chat.
         * @enum {string}
         */
        StopReason: "person" | "idle" | "recovery" | "disk" | "operation";
        /** @description Streaming options. */
        StreamOptions: {
            /** @description Whether a last chunk carries the usage. */
            include_usage?: boolean | null;
        };
        /** @description One thing that happened to an instance. */
        TimelineEntry: {
            /** @description The evidence entry behind it. */
            id: components["schemas"]["EvidenceId"];
            /** @description When. */
            at: components["schemas"]["Timestamp"];
            /** @description What, as an action name such as `instance.start` or `instance.seen`. */
            action: string;
            /** @description Who, as kind and id. */
            actor: string;
            /** @description `done`, `refused` or a state. */
            outcome: string;
            /** @description Details that are not personal: states, reasons, sizes. */
            detail: unknown;
        };
        /** Format: date-time */
        Timestamp: string;
        /** @description Tokens of a turn. */
        TokenUsage: {
            /**
             * Format: int64
             * @description Tokens in.
             */
            input_tokens: number;
            /**
             * Format: int64
             * @description Tokens out.
             */
            output_tokens: number;
        };
        /**
         * @description What an agent may do inside its sandbox.
         * @enum {string}
         */
        ToolAccess: "none" | "ask" | "full";
        /**
         * @description Whether a tool runs.
         * @enum {string}
         */
        ToolPhase: "start" | "done" | "failed";
        /** @description A tool used in a message. */
        ToolUse: {
            /** @description The call's id. */
            id: string;
            /** @description The tool. */
            name: string;
            /** @description One line. */
            summary?: string | null;
            /** @description Whether it failed. */
            failed: boolean;
        };
        /** @description Renames a session. */
        UpdateChatSession: {
            /** @description Its new name. */
            title: components["schemas"]["Label"];
        };
        /** @description Changes an identity provider. A new issuer clears the stored client secret. */
        UpdateIdentityProvider: {
            name?: components["schemas"]["Label"] | null;
            /** @description The issuer address. */
            issuer?: string | null;
            /** @description Our client id there. */
            client_id?: string | null;
            /**
             * Format: password
             * @description Our client secret there.
             */
            client_secret?: string | null;
            /** @description Scopes besides `openid`. */
            scopes?: string[] | null;
            /** @description Whether people may sign in with it. */
            enabled?: boolean | null;
            /** @description Whether an unknown person gets a member account. */
            auto_provision?: boolean | null;
            /** @description Whether the issuer may be on a private or loopback address. */
            allow_private_network?: boolean | null;
        };
        /** @description Changes an instance. */
        UpdateInstance: {
            name?: components["schemas"]["Label"] | null;
            /**
             * Format: int32
             * @description Minutes without use after which it goes to sleep, 1 to 10080.
             */
            idle_timeout_minutes?: number | null;
        };
        /** @description Changes the caller's own account. */
        UpdateMe: {
            display_name?: components["schemas"]["Label"] | null;
            /** @description A BCP 47 language tag. */
            locale?: string | null;
            /**
             * Format: password
             * @description The new password; `current_password` must come with it. Somebody without a password sets their first one in a browser
             *     that signed in less than 15 minutes ago.
             */
            new_password?: string | null;
            /**
             * Format: password
             * @description The password until now.
             */
            current_password?: string | null;
        };
        /** @description Puts rules in force. */
        UpdatePolicy: {
            /**
             * Format: int64
             * @description The version this one was written over; refused with `conflict` when another is in force meanwhile.
             */
            base_version: number;
            /** @description All added rules, in Cedar; empty for none. */
            text: string;
            /** @description What must hold under them; those of the version in force when absent. */
            tests?: components["schemas"]["PolicyTest"][] | null;
            /** @description Why. */
            comment?: string | null;
        };
        /** @description Changes the profile; absent fields stay. */
        UpdateProfile: {
            agent_name?: components["schemas"]["Label"] | null;
            /** @description How it should be, in words. */
            persona?: string | null;
            /** @description What it should know about its person. */
            about_me?: string | null;
            provider_id?: components["schemas"]["ProviderId"] | null;
            /** @description Its model. */
            model?: string | null;
            tools?: components["schemas"]["ToolAccess"] | null;
            /**
             * Format: int32
             * @description Minutes between heartbeats; 0 for none.
             */
            heartbeat_minutes?: number | null;
            /** @description Whether it may plan its own timed work. */
            cron_enabled?: boolean | null;
            /**
             * Format: int32
             * @description Minutes without use after which it goes to sleep, 1 to 10080.
             */
            idle_timeout_minutes?: number | null;
        };
        /** @description Changes a provider. A new `base_url` clears the stored key unless a key comes with it. */
        UpdateProvider: {
            name?: components["schemas"]["Label"] | null;
            /** @description Its address. */
            base_url?: string | null;
            /**
             * Format: password
             * @description A new key.
             */
            api_key?: string | null;
            /** @description Models to offer. */
            models?: string[] | null;
            wire?: components["schemas"]["Wire"] | null;
            /** @description Allow a private or loopback address (administrators only). */
            allow_private_network?: boolean | null;
        };
        /** @description Changes settings; absent fields stay. */
        UpdateSettings: {
            /** @description The address people use; an empty text clears it. */
            public_url?: string | null;
            /** @description Host names that are answered besides loopback and the public one. */
            allowed_hosts?: string[] | null;
            /** @description Networks (CIDR) whose `X-Forwarded-For` is believed. */
            trusted_proxies?: string[] | null;
            /**
             * Format: int32
             * @description Minutes without use after which a new instance goes to sleep, 1 to 10080.
             */
            idle_timeout_minutes?: number | null;
            /**
             * Format: int32
             * @description Seconds between two times that a witness of the log is asked, 10 to 86400.
             */
            witness_interval_seconds?: number | null;
            /**
             * Format: int32
             * @description Days that values of the log are kept, at most 36500; 0 for ever. Older ones are erased for good, and the log's proofs hold.
             */
            value_retention_days?: number | null;
            /** @description Accept that several people's agents share one trust domain. */
            reduced_isolation_accepted?: boolean | null;
        };
        /** @description Changes an account. */
        UpdateUser: {
            display_name?: components["schemas"]["Label"] | null;
            role?: components["schemas"]["Role"] | null;
            /** @description Whether they may sign in; `false` ends their sessions. */
            active?: boolean | null;
        };
        /** @description Changes a webhook. */
        UpdateWebhook: {
            name?: components["schemas"]["Label"] | null;
            /** @description Where to. */
            url?: string | null;
            /** @description Which actions. */
            events?: string[] | null;
            /** @description Whether it is told anything; what happens while it is off it is never told. */
            enabled?: boolean | null;
            /** @description Whether it may be on a private or loopback address. */
            allow_private_network?: boolean | null;
        };
        /** @description Usage by day and model. */
        UsageReport: {
            /** @description One row per day and model, newest first. */
            rows: components["schemas"]["UsageRow"][];
            /**
             * Format: int64
             * @description Calls in all.
             */
            calls: number;
            /**
             * Format: int64
             * @description Tokens in, in all.
             */
            input_tokens: number;
            /**
             * Format: int64
             * @description Tokens out, in all.
             */
            output_tokens: number;
        };
        /** @description Usage of one model on one day (UTC). */
        UsageRow: {
            /** @description The day, `YYYY-MM-DD`. */
            day: string;
            /** @description The model. */
            model: string;
            /**
             * Format: int64
             * @description Calls.
             */
            calls: number;
            /**
             * Format: int64
             * @description Calls that failed.
             */
            failed: number;
            /**
             * Format: int64
             * @description Tokens in.
             */
            input_tokens: number;
            /**
             * Format: int64
             * @description Tokens out.
             */
            output_tokens: number;
        };
        UserId: string;
        /** @description A person, as administrators see them. */
        UserView: {
            /** @description Their id. */
            id: components["schemas"]["UserId"];
            /** @description Their sign-in name. */
            username: components["schemas"]["Username"];
            /** @description The name shown to people. */
            display_name: string;
            /** @description What they may do. */
            role: components["schemas"]["Role"];
            /** @description Whether they may sign in. */
            active: boolean;
            /** @description Whether this is the breakglass account. */
            breakglass: boolean;
            /** @description Ways they sign in: `password`, `oidc`. */
            sign_in: string[];
            /**
             * Format: int32
             * @description How many instances they have.
             */
            instances: number;
            /** @description When the account was made. */
            created_at: components["schemas"]["Timestamp"];
            last_seen_at?: components["schemas"]["Timestamp"] | null;
        };
        /** @description 1 to 64 of a-z, 0-9, dot, dash, underscore or @, starting with a letter or digit */
        Username: string;
        /** @description 1 to 128 of A-Z, 0-9 and underscore, not starting with a digit, and none that steers programs themselves, such as PATH, HOME, LD_* or NODE_* */
        VariableName: string;
        /**
         * @description What somebody said about a proposal.
         * @enum {string}
         */
        Verdict: "approve" | "reject";
        /**
         * @description How an actor proved who they are; policies and evidence may tell these apart.
         * @enum {string}
         */
        Via: "browser" | "api_token" | "setup_token" | "instance_token" | "console" | "internal";
        /**
         * @description What the owner, an operator or the idle reaper wants of an instance.
         * @enum {string}
         */
        WantedState: "running" | "frozen" | "stopped" | "deleted";
        WebhookId: string;
        /** @description How a test message was taken. */
        WebhookTest: {
            /** @description Whether it was taken (a status of 2xx). */
            ok: boolean;
            /**
             * Format: int32
             * @description The status of the answer.
             */
            status?: number | null;
            /**
             * Format: int64
             * @description How long it took.
             */
            latency_ms: number;
            /** @description Why it was not taken. */
            error?: string | null;
        };
        /** @description A webhook, without its secret. */
        WebhookView: {
            /** @description Its id. */
            id: components["schemas"]["WebhookId"];
            /** @description What people call it. */
            name: components["schemas"]["Label"];
            /** @description Where to. */
            url: string;
            /** @description Which actions: names like `instance.start`, kinds like `instance.`, or `*`. */
            events: string[];
            /** @description Whether it is told anything. */
            enabled: boolean;
            /** @description Whether it may be on a private or loopback address. */
            allow_private_network: boolean;
            /**
             * Format: int64
             * @description Entries on their way to it.
             */
            waiting: number;
            /**
             * Format: int64
             * @description Entries that were given up; they can be replayed.
             */
            dead: number;
            /**
             * Format: int32
             * @description The status of its last answer.
             */
            last_status?: number | null;
            /** @description Why the last attempt failed; absent when it did not. */
            last_error?: string | null;
            last_delivered_at?: components["schemas"]["Timestamp"] | null;
            /** @description When it was made. */
            created_at: components["schemas"]["Timestamp"];
            /** @description When it was changed. */
            updated_at: components["schemas"]["Timestamp"];
        };
        /**
         * @description The protocol between a gateway, the broker and a provider.
         * @enum {string}
         */
        Wire: "openai_completions" | "openai_responses" | "anthropic_messages" | "google_generative_ai";
        WitnessId: string;
        /**
         * @description How the last time ended that a witness was asked.
         * @enum {string}
         */
        WitnessStateView: "new" | "cosigned" | "unreachable" | "refused" | "conflict" | "forged";
        /** @description A witness. */
        WitnessView: {
            /** @description Its id. */
            id: components["schemas"]["WitnessId"];
            /** @description The name in its key. */
            name: string;
            /** @description What its addresses begin with; `/add-checkpoint` is added. */
            url: string;
            /** @description The key that verifies its cosignatures, `name+id+key`. */
            key: string;
            /** @description Whether it may be on a private or loopback address. */
            allow_private_network: boolean;
            /** @description How the last time ended that it was asked. */
            state: components["schemas"]["WitnessStateView"];
            /**
             * Format: int64
             * @description The size it cosigned last: it vouches for so many entries. 0 before the first.
             */
            size: number;
            cosigned_at?: components["schemas"]["Timestamp"] | null;
            /** @description Why it did not cosign; absent when it did. */
            last_error?: string | null;
            failing_since?: components["schemas"]["Timestamp"] | null;
            /** @description It is not asked before. */
            next_at: components["schemas"]["Timestamp"];
            /** @description When it was added. */
            created_at: components["schemas"]["Timestamp"];
        };
        /** @description A signed head that witnesses cosigned. */
        WitnessedHead: {
            /**
             * Format: int64
             * @description How many entries it covers.
             */
            size: number;
            /** @description The signed note, with a line of each of them (C2SP tlog-cosignature). */
            note: string;
            /** @description Their names. */
            witnesses: string[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
