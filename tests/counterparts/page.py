"""The page of results in a real browser: Debian's Chromium, driven by Selenium.

    python page.py VPIPE CLIP      needs page.txt installed, chromium, chromedriver and ffmpeg;
                                   exits with 1 if anything differs

It seeks to the frames that FFmpeg shows at those times, boxes stand around the shapes that were drawn
into the clip, search finds what is said and seen, nothing is asked of anybody, and texts stay texts.
"""

import contextlib
import io
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

from PIL import Image, ImageChops, ImageStat
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from keyless import environment

TRUTH = json.loads((pathlib.Path(__file__).parents[1] / "demo" / "truth.json").read_text())
# A name that an address has to encode.
CLIP_NAME = "my clip #1 50%.mp4"
HOSTILE = [
    "<script>window.ran = 1</script>",
    "</script><script>window.ran = 2</script>",
    "<!-- <script>",
    "<img src=x onerror='window.ran = 3'>",
    "javascript:window.ran=4",
    "\"' onmouseover=window.ran=5 x=\"",
    "\u202egpj.\u2066exe\u2028\u2029",
    "{{data}}${window.ran=6}`",
]
SECONDS_AT_MOST = 20


def main(vpipe, clip):
    vpipe = pathlib.Path(vpipe).resolve()
    with tempfile.TemporaryDirectory() as top, browser() as page:
        top = pathlib.Path(top)
        results = run_demo(vpipe, clip, top)
        page.load(report(vpipe, results))
        for check in [plays, shows_boxes, searches, steers, fits_screens,
                      fits_odd_videos, keeps_pictures, ends_boxes, lists_several,
                      keeps_texts, opens_ten_hours]:
            began = time.monotonic()
            check(page, results, top, vpipe)
            print(f"{check.__name__}: as it should be ({time.monotonic() - began:.1f} s)")


def run_demo(vpipe, clip, top):
    """The results of the demo models, in a folder beside that of the clip."""
    (top / "clips").mkdir()
    shutil.copy(clip, top / "clips" / CLIP_NAME)
    command = [vpipe, "run", "default", f"clips/{CLIP_NAME}", "-q"]
    subprocess.run(command, cwd=top, env=environment(), check=True, timeout=120)
    return top / "output" / (CLIP_NAME.removesuffix(".mp4") + "_results.json")


def report(vpipe, *results, options=()):
    """The page of results files, made in the folder above theirs, where the run was."""
    page = results[0].parent / "report.html"
    command = [vpipe, "report", *results, "-o", page, *options]
    subprocess.run(command, cwd=results[0].parents[1], check=True, timeout=120, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return page


class Page:
    """A page in the browser, and what is asked of it."""

    def __init__(self, driver):
        self.driver = driver
        self.loaded = []

    def load(self, path):
        self.driver.get(path.as_uri())
        self.loaded.append(path)

    def js(self, script, *values):
        return self.driver.execute_script(script, *values)

    def find(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def texts(self, css):
        return [found.get_attribute("textContent") for found in self.driver.find_elements(By.CSS_SELECTOR, css)]

    def wait(self, what, why):
        WebDriverWait(self.driver, SECONDS_AT_MOST, 0.05).until(lambda _: what(), why)

    def press(self, *keys):
        self.find("body").send_keys(*keys)

    def time(self):
        return self.js("return document.getElementById('video').currentTime")

    def settle(self):
        """Waits until the frame is on the screen that was sought."""
        script = "const it = document.getElementById('video'); return it.readyState >= 2 && !it.seeking"
        self.wait(lambda: self.js(script), "the video does not seek")
        self.driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")

    def look(self, css):
        """What is on the screen in an element."""
        return Image.open(io.BytesIO(self.find(css).screenshot_as_png)).convert("RGB")

    def search(self, query):
        field = self.find("#query")
        field.clear()
        field.send_keys(query, Keys.ENTER)
        return self.texts("#moments .moment")

    def block(self, name):
        return json.loads(self.js("return document.getElementById(arguments[0]).textContent", name))

    def requests(self):
        """What was asked of anybody since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [it["params"]["request"]["url"] for it in events if it["method"] == "Network.requestWillBeSent"]
        return {url for url in asked if not url.startswith("data:image/jpeg")}

    def check_quiet(self, allowed):
        """Nothing was asked but the files that are allowed, and nothing is complained about."""
        strangers = self.requests() - {path.as_uri() for path in [*allowed, *self.loaded]}
        assert not strangers, strangers
        complaints = self.driver.get_log("browser")
        assert not complaints, complaints


@contextlib.contextmanager
def browser():
    options = Options()
    options.binary_location = shutil.which("chromium")
    for switch in ["headless=new", "no-sandbox", "disable-gpu", "mute-audio", "window-size=1280,1000",
                   "force-device-scale-factor=1", "force-color-profile=srgb"]:
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Page(driver)
    finally:
        driver.quit()


def plays(page, results, top, vpipe):
    """The video is found by its odd name, and plays with boxes and words that follow it."""
    page.settle()
    assert page.find("#title").text == CLIP_NAME
    assert not page.find("#notice").is_displayed()
    page.press(Keys.SPACE)
    page.wait(lambda: page.time() > 1.5, "it does not play")
    current = "#transcript .moment[aria-current]"
    page.wait(lambda: page.texts(current), "the transcript does not follow")
    assert "the red circle moves left" in page.texts(current)[0], page.texts(current)
    page.press(Keys.SPACE)
    page.wait(lambda: page.js("return document.getElementById('video').paused"), "it does not pause")
    page.check_quiet([top / "clips" / CLIP_NAME])


def shows_boxes(page, results, top, vpipe):
    """The frame of a moment is that of FFmpeg, with boxes where shapes were drawn into it."""
    colours = {it["name"]: it["colour"] for it in page.block("video-0")["classes"]}
    for seconds in [0, 4, 13]:
        page.press("0")
        click_timeline(page, 0)
        page.press(Keys.SHIFT, Keys.ARROW_LEFT, Keys.NULL)
        for _ in range(seconds):
            page.press(Keys.SHIFT, Keys.ARROW_RIGHT, Keys.NULL)
        check_frame(bare_look(page), top / "clips" / CLIP_NAME, seconds * 30)
        check_boxes(page.look("#stage"), seconds, colours)


def bare_look(page):
    """The stage without boxes and captions."""
    page.settle()
    page.press("b", "c")
    page.settle()
    bare = page.look("#stage")
    page.press("b", "c")
    page.settle()
    return bare


def click_timeline(page, share):
    """Clicks so far along the timeline, from 0 to 1."""
    canvas = page.find("#lane-canvas")
    # Offsets count from the middle.
    across = round((share - 0.5) * (canvas.size["width"] - 2))
    webdriver.ActionChains(page.driver).move_to_element_with_offset(canvas, across, 0).click().perform()


def check_frame(seen, clip, number):
    """What is seen is the frame of this number rather than one beside it."""
    first = max(number - 2, 0)
    near = enumerate(frames(clip, first, number + 2, seen.size), first)
    apart = {at: sum(ImageStat.Stat(ImageChops.difference(seen, frame)).mean) for at, frame in near}
    assert min(apart, key=apart.get) == number, (number, apart)


def frames(clip, first, last, size):
    """Frames of a clip by their numbers, as FFmpeg scales them."""
    width, height = size
    chosen = f"select=between(n\\,{first}\\,{last}),scale={width}:{height}"
    command = ["ffmpeg", "-v", "error", "-i", clip, "-vf", chosen, "-fps_mode", "passthrough",
               "-frames:v", str(last - first + 1), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    pixels = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=60).stdout
    length = width * height * 3
    parts = [pixels[at : at + length] for at in range(0, len(pixels), length)]
    assert len(parts) == last - first + 1, len(parts)
    return [Image.frombytes("RGB", size, part) for part in parts]


def check_boxes(seen, seconds, colours, reach=7):
    """Each shape that is wholly seen has the lines of its class on its sides."""
    (truth,) = [it for it in TRUTH["frames"] if it["timestamp"] == seconds]
    scale = seen.size[0] / TRUTH["width"]
    whole = [shape for shape in truth["objects"] if shape["visible"] == 1.0]
    assert len(whole) >= 4, truth
    for shape in whole:
        left, top, right, bottom = (side * scale for side in shape["bbox"])
        middle = ((left + right) / 2, (top + bottom) / 2)
        sides = [(left, middle[1]), (right, middle[1]), (middle[0], bottom)]
        missing = [side for side in sides if not is_near(seen, side, colours[shape["class_name"]], reach)]
        assert not missing, (seconds, shape, missing)


def is_near(image, place, colour, reach):
    """Whether a pixel of the colour is so near to a place."""
    wanted = tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
    x, y = map(round, place)
    around = [(x + across, y + down) for across in range(-reach, reach + 1) for down in range(-reach, reach + 1)]
    pixels = [image.getpixel(place) for place in around if min(place) >= 0 and place[0] < image.width and place[1] < image.height]
    return any(max(abs(a - b) for a, b in zip(pixel, wanted)) < 24 for pixel in pixels)


def searches(page, results, top, vpipe):
    """Words and things are found together, and the first moment is gone to."""
    found = page.search('circle "red circle"')
    assert len(found) == 2 and "the red circle moves left" in found[0], found
    page.settle()
    assert 0.4 < page.time() < 1.5, page.time()
    assert len(page.search('"purple cross"')) == 1
    page.settle()
    assert 14 < page.time() < 15.5, page.time()
    # Case, accents and what stands between words make no difference.
    assert page.search('"P\u00d9RPLE-cross"') == page.search('"purple cross"')
    # Not said so, and nothing that is seen.
    assert page.search('"cross purple"') == [] and page.search("zebra") == []
    assert "neither seen nor said" in page.find("#terms").text
    # Two squares from some moment on, one before; all stars are one stretch.
    assert len(page.search("star")) == 1
    every = page.search("moves")
    assert len(every) == sum("moves" in text for text in page.block("video-0")["speeches"][0]["texts"])
    # Nowhere within a moment, and somewhere within half a minute.
    apart = '"green triangle grows" "blue square"'
    page.js("const it = document.getElementById('within'); it.value = '0'")
    assert page.search(apart) == []
    page.js("const it = document.getElementById('within'); it.value = '30'")
    assert len(page.search(apart)) == 1


def steers(page, results, top, vpipe):
    """The timeline, the transcript and keys lead to moments; classes are hidden."""
    page.search("")
    click_timeline(page, 0.5)
    page.settle()
    duration = page.block("video-0")["duration"]
    assert abs(page.time() - duration / 2) < 0.3, page.time()
    page.press(Keys.ARROW_RIGHT)
    page.settle()
    assert abs(page.time() - duration / 2 - 5) < 0.3, page.time()
    page.find("#tab-transcript").click()
    rows = page.driver.find_elements(By.CSS_SELECTOR, "#transcript .moment")
    rows[1].click()
    page.settle()
    assert 2.5 < page.time() < 3.3, page.time()
    before = page.find("#now").text
    page.find("button.lane-name").click()
    hidden = page.find("button.lane-name").text
    assert hidden in before and hidden not in page.find("#now").text, (before, hidden)
    page.find("button.lane-name").click()
    page.press("?")
    assert page.find("#help").is_displayed()
    page.find("#help").send_keys(Keys.ESCAPE)
    page.press("/")
    assert page.driver.switch_to.active_element.get_attribute("id") == "query"


def fits_screens(page, results, top, vpipe):
    """Light and dark differ, and nothing is wider than a narrow screen."""
    grounds = set()
    for theme in ["light", "dark"]:
        features = [{"name": "prefers-color-scheme", "value": theme}]
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        grounds.add(page.js("return getComputedStyle(document.body).backgroundColor"))
        for width in [400, 1280]:
            size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            assert page.js("return document.documentElement.scrollWidth") <= width, width
    page.find("#theme").click()
    grounds.add(page.js("return document.documentElement.dataset.theme"))
    assert len(grounds) == 3 and "light" in grounds, grounds
    page.check_quiet([top / "clips" / CLIP_NAME])


def fits_odd_videos(page, results, top, vpipe):
    """Boxes stand around shapes where pixels are not square, frames are turned, or sound begins first."""
    clip = top / "clips" / CLIP_NAME
    odd = {
        "wide": ["-i", clip, "-vf", "scale=640:720,setsar=2/1", "-preset", "ultrafast"],
        "turned": ["-i", clip, "-c", "copy", "-metadata:s:v", "rotate=180"],
        "late": ["-itsoffset", "1.5", "-i", clip, "-i", clip, "-map", "0:v", "-map", "1:a", "-c", "copy"],
    }
    for name, options in odd.items():
        made = top / "clips" / f"{name}.mp4"
        subprocess.run(["ffmpeg", "-v", "error", *options, "-t", "4.5", made], check=True, timeout=60)
    inputs = [f"clips/{name}.mp4" for name in odd]
    command = [vpipe, "run", "default", *inputs, "-q", "--without", "whisper"]
    subprocess.run(command, cwd=top, env=environment(), check=True, timeout=120)
    page.load(report(vpipe, *[top / "output" / f"{name}_results.json" for name in odd]))
    for at, name in enumerate(odd):
        page.js("const it = document.getElementById('videos'); it.value = arguments[0];"
                "it.dispatchEvent(new Event('input'))", str(at))
        page.settle()
        for _ in range(2):
            page.press(Keys.SHIFT, Keys.ARROW_RIGHT, Keys.NULL)
        check_frame(bare_look(page), top / "clips" / f"{name}.mp4", 60)
        seen = page.look("#stage")
        if name == "turned":
            seen = seen.rotate(180)
        colours = {it["name"]: it["colour"] for it in page.block(f"video-{at}")["classes"]}
        # The model looks less closely at other pixels than at those it learnt from.
        check_boxes(seen, 2, colours, reach=12)
    page.check_quiet([top / "clips" / f"{name}.mp4" for name in odd])


def keeps_pictures(page, results, top, vpipe):
    """Pictures stand in for a video that is gone."""
    path = report(vpipe, results, options=["--frames", "5"])
    clip = top / "clips" / CLIP_NAME
    gone = clip.rename(clip.with_suffix(".gone"))
    page.load(path)
    page.wait(lambda: page.find("#notice").is_displayed(), "it is not said that the video is gone")
    picture = "const it = document.getElementById('picture'); return it.complete ? it.naturalWidth : 0"
    page.wait(lambda: page.js(picture) == 960, "no picture is shown")
    kept = page.block("pictures-0")
    assert len(kept) == 5, len(kept)
    # At the time of a picture it is there; its boxes are those of that frame.
    click_timeline(page, (kept[3]["time"] / 1000 + 0.05) / page.block("video-0")["duration"])
    assert "far" not in page.find("#picture").get_attribute("class")
    assert page.texts("#now .chip")
    gone.rename(clip)
    complaints = [it["message"] for it in page.driver.get_log("browser")]
    # The browser itself tells of a file that is not there.
    assert all("ERR_FILE_NOT_FOUND" in it for it in complaints), complaints


def ends_boxes(page, results, top, vpipe):
    """A box stays until the next sample and no longer than samples are apart; a thing moves on over one
    that it was missed in. As `vpipe annotate` has it."""
    told = json.loads(results.read_text())
    box = {"bbox": [0, 0, 100, 100], "class": 0, "class_name": "ball", "confidence": 0.5}
    for entry in told["detections"]:
        second = round(entry["timestamp"])
        # One is seen for a while; another is missed twice on its way.
        entry["detections"] = [box] if second < 3 else []
        if second in (10, 13):
            entry["detections"].append(box | {"track": 1, "bbox": [100 * (second - 10)] * 2 + [500, 500]})
        entry["count"] = len(entry["detections"])
    # There are no samples from 3 to 6 s.
    told["detections"] = [it for it in told["detections"] if not 3 <= it["timestamp"] < 6]
    other = results.with_name("ending_results.json")
    other.write_text(json.dumps(told))
    page.load(report(vpipe, other))
    length = page.block("video-0")["duration"]
    for seconds, boxes in [(0.5, 1), (2.7, 1), (3.3, 0), (5.5, 0), (9.5, 0), (10.5, 1), (11.5, 1), (12.5, 1), (14.5, 0)]:
        click_timeline(page, seconds / length)
        page.settle()
        assert len(page.texts("#now .chip")) == boxes, (seconds, page.texts("#now .chip"))


def lists_several(page, results, top, vpipe):
    """Two videos are searched as one, and a moment leads to its own."""
    told = json.loads(results.read_text())
    for segment in told["transcription"]["segments"]:
        segment["text"] = segment["text"].replace("purple", "violet")
        segment["words"] = []
    other = results.with_name("other_results.json")
    other.write_text(json.dumps(told))
    page.load(report(vpipe, results, other))
    assert page.find("#videos").is_displayed()
    assert len(page.search("yellow")) == 2
    assert page.find("#videos").get_attribute("value") == "0"
    assert len(page.search("violet")) == 1
    assert page.find("#videos").get_attribute("value") == "1"
    page.settle()
    assert 14 < page.time() < 15.5, page.time()
    page.check_quiet([top / "clips" / CLIP_NAME])


def keeps_texts(page, results, top, vpipe):
    """Texts of strangers are shown, and none of them does anything."""
    told = json.loads(results.read_text())
    told["video"] = HOSTILE[3]
    for segment, text in zip(told["transcription"]["segments"], HOSTILE):
        segment["text"] = text
        segment["words"] = []
    for at, entry in enumerate(told["detections"]):
        for found in entry["detections"]:
            found["class_name"] = HOSTILE[(at + found["class"]) % len(HOSTILE)]
    told["recipe"]["settings"] = {"yolo": {text: text for text in HOSTILE}}
    told["run"]["errors"] = [{"stage": "yolo", "class": "worker", "items": 1, "text": text} for text in HOSTILE]
    hostile = results.with_name("hostile_results.json")
    hostile.write_text(json.dumps(told))
    page.load(report(vpipe, hostile))
    page.find("#details summary").click()
    for _ in range(6):
        page.press(Keys.SHIFT, Keys.ARROW_RIGHT, Keys.NULL)
    click_timeline(page, 0.3)
    assert page.js("return window.ran") is None
    assert page.js("return document.images.length") == 1
    assert page.js("return document.querySelectorAll('script:not([type])').length") == 1
    assert page.js("return document.querySelectorAll('a, iframe, object, embed').length") == 0
    said = page.texts("#transcript .said")
    for text in HOSTILE[:6]:
        assert text in said, (text, said)
        assert any(text in cell for cell in page.texts("#tables td")), text
    # What turns letters round is shown by its number.
    assert "\\u{202e}gpj.\\u{2066}exe" in said[6], said[6]
    assert len(page.search("onmouseover")) > 0
    page.check_quiet([])


def opens_ten_hours(page, results, top, vpipe):
    """How long a page of ten hours with 100,000 boxes takes to open and to be searched."""
    told = json.loads(results.read_text())
    chance = random.Random(1)
    objects = [found for entry in told["detections"] for found in entry["detections"]]
    told["detections"] = []
    for second in range(36_000):
        found = chance.choices(objects, k=2 + (second % 9 < 7))
        entry = {"timestamp": second, "frame_number": 30 * second, "detections": found, "count": len(found)}
        told["detections"].append(entry)
    texts = [it["text"] for it in told["transcription"]["segments"]]
    told["transcription"]["segments"] = [
        {"id": at, "start": 5 * at, "end": 5 * at + 3, "text": f"{chance.choice(texts)} at {at}",
         "avg_logprob": None, "no_speech_prob": None}
        for at in range(7_200)
    ]
    told["source"]["duration"] = 36_000
    boxes = sum(entry["count"] for entry in told["detections"])
    long = results.with_name("long_results.json")
    long.write_text(json.dumps(told))
    path = report(vpipe, long)
    began = time.monotonic()
    page.load(path)
    page.wait(lambda: page.texts("#transcript .moment"), "the transcript is not there")
    opened = time.monotonic() - began
    began = time.monotonic()
    assert page.search('circle "at 4711"')
    searched = time.monotonic() - began
    rows = page.js("return document.querySelectorAll('#transcript li').length")
    assert rows < 60, rows
    print(f"10 h with {boxes} boxes: {path.stat().st_size / 1e6:.1f} MB, opens in {opened:.2f} s, searched in {searched:.2f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
