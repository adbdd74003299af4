"""RunPod's own worker with a handler of 0.2 s, for as long as it is not ended."""

import asyncio

import runpod


async def handler(job):
    await asyncio.sleep(0.2)
    return {"given": job["input"]}


runpod.serverless.start({"handler": handler})
