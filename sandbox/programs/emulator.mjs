// npm's `emulate` as one program that is played again and again: GitHub on a port and Slack on the next, from a seed
// file. On SIGHUP both begin anew from what the file says by then. Prints "Ready N." when it answers for the N-th time.
//
// Started as: node emulator.mjs PATH-OF-EMULATE SEED-FILE PORT
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

const [emulate, seedFile, firstPort] = process.argv.slice(2);
const { createEmulator } = await import(pathToFileURL(emulate));
let played = [];
let times = 0;

async function play() {
    await Promise.all(played.map((service) => service.close()));
    const seed = JSON.parse(await readFile(seedFile, "utf8"));
    const services = ["github", "slack"].map((service, place) =>
        createEmulator({ service, seed, port: Number(firstPort) + place, hostname: "127.0.0.1" }),
    );
    played = await Promise.all(services);
    console.log(`Ready ${++times}.`);
}

process.on("SIGHUP", play);
await play();
