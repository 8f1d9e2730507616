// Asks the compatible endpoint in every way the end-to-end test checks, and prints what came back as one JSON object.
import OpenAI from "openai";

const client = new OpenAI({ maxRetries: 0 });
const question = { model: process.env.AGENT, messages: [{ role: "user", content: "Say hello to the client" }] };

const models = [];
for await (const model of await client.models.list()) models.push(model.id);

const whole = await client.chat.completions.create(question);

let streamed = "";
let finish = null;
for await (const chunk of await client.chat.completions.create({ ...question, stream: true })) {
  streamed += chunk.choices[0]?.delta?.content ?? "";
  finish = chunk.choices[0]?.finish_reason ?? finish;
}

const stranger = new OpenAI({ apiKey: "frk_api_wrong", maxRetries: 0 });
const refused = await stranger.chat.completions.create(question).then(
  () => 200,
  (error) => error.status,
);

console.log(JSON.stringify({ models, whole: whole.choices[0].message.content, streamed, finish, refused }));
