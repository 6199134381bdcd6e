// npm's `emulate` as one program that is played again and again: GitHub on a port and Slack on the next. What is wished
// stands in a file as JSON, read at the start and on each SIGHUP: `{"seed": …}` begins anew, with `"from": PATH` at what
// was put down there; `{"keep": PATH}` puts down what both hold by then. Prints "Ready N." when the N-th wish is done.
//
// Started as: node emulator.mjs PATH-OF-EMULATE WISH-FILE PORT
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { deserialize, serialize } from "node:v8";

const SERVICES = ["github", "slack"];
const [emulate, wishFile, firstPort] = process.argv.slice(2);
const { createEmulator } = await import(pathToFileURL(emulate));
const held = {};
let played = [];
let times = 0;

// `createEmulator` hands out no store: what it registers a service with is noted on the way.
async function noteStores() {
    const source = await readFile(emulate, "utf8");
    for (const service of SERVICES) {
        const [, file] = source.match(new RegExp(`^  ${service}: \\{[^]*?import\\("(.+?)"\\)`, "m"));
        const plugin = (await import(pathToFileURL(join(dirname(emulate), file))))[`${service}Plugin`];
        const register = plugin.register;
        plugin.register = (app, store, webhooks, baseUrl, tokens) => {
            held[service] = { store, tokens };
            register.call(plugin, app, store, webhooks, baseUrl, tokens);
        };
    }
}

async function play({ seed, from }) {
    await Promise.all(played.map((service) => service.close()));
    const services = SERVICES.map((service, place) =>
        createEmulator({ service, seed, port: Number(firstPort) + place, hostname: "127.0.0.1" }),
    );
    played = await Promise.all(services);
    const kept = from ? Object.entries(deserialize(await readFile(from))) : [];
    for (const [service, { state, tokens }] of kept) {
        held[service].store.restore(state);
        held[service].tokens.clear();
        tokens.forEach((user, token) => held[service].tokens.set(token, user));
    }
}

function keep(path) {
    const kept = Object.entries(held).map(([service, { store, tokens }]) => [service, { state: store.snapshot(), tokens }]);
    return writeFile(path, serialize(Object.fromEntries(kept)));
}

async function fulfil() {
    const wish = JSON.parse(await readFile(wishFile, "utf8"));
    await (wish.keep ? keep(wish.keep) : play(wish));
    console.log(`Ready ${++times}.`);
}

await noteStores();
process.on("SIGHUP", fulfil);
await fulfil();
