// Asks `vpipe serve` with RunPod's own JavaScript SDK.
//
//     node serve_javascript.mjs SDK ADDRESS KEY IMAGE      SDK: the folder of runpod-sdk; exits with 1 if anything differs

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { pathToFileURL } from "node:url"

const [sdk, address, key, image] = process.argv.slice(2)
const { default: runpod } = await import(pathToFileURL(`${sdk}/dist/src/index.js`))
const endpoint = runpod(key, { baseUrl: `${address}/v2` }).endpoint("any")
const asked = { input: { images: [readFileSync(image).toString("base64")] } }

const whole = await endpoint.runSync(asked)
assert.equal(whole.status, "COMPLETED")
assert.ok(whole.id.startsWith("sync-") && whole.output.detections[0].length > 0, JSON.stringify(whole))

const job = await endpoint.run(asked)
const done = await endpoint.statusSync(job.id, 60_000)
assert.equal(done.status, "COMPLETED")
assert.deepEqual(done.output.detections, whole.output.detections)
assert.equal((await endpoint.status(job.id)).status, "COMPLETED")

const many = { input: { images: Array(20).fill(asked.input.images[0]) } }
const jobs = []
for (let at = 0; at < 8; at++) jobs.push(await endpoint.run(many))
assert.equal((await endpoint.cancel(jobs[7].id)).status, "CANCELLED")
const purged = await endpoint.purgeQueue()
assert.equal(purged.status, "completed")
assert.ok(purged.removed >= 2, JSON.stringify(purged))
for (const { id } of jobs) await endpoint.cancel(id)

const parts = []
for await (const part of endpoint.stream(job.id)) parts.push(part)
assert.deepEqual(parts, [])

const health = await endpoint.health()
assert.equal(Object.keys(health.workers).length, 6)
console.log("RunPod's JavaScript SDK: run, runSync, status, statusSync, stream, cancel, purgeQueue and health are as it expects")
