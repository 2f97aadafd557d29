"""A real Chromium, driven as a person would use it: by labels, names of buttons, and keys."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.fix_node import missing

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",  # of an authority that is made for the test
    "--window-size=900,900",
)


class Person:
    """Somebody in front of a browser."""

    def __init__(self, chrome: Chrome, url: str) -> None:
        self.chrome = chrome
        self._url = url

    @property
    def title(self) -> str:
        """The window's title."""
        return self.chrome.title

    @property
    def heading(self) -> str:
        """The page's main heading."""
        return self.chrome.find_element(By.TAG_NAME, "h1").text

    @property
    def text(self) -> str:
        """What stands on the page."""
        return self.chrome.find_element(By.TAG_NAME, "main").text

    @property
    def focused(self) -> WebElement:
        """Where what is typed goes."""
        return self.chrome.switch_to.active_element

    def go(self, path: str) -> None:
        """Opens an address, JIMM's own or a whole one."""
        self.chrome.get(f"{self._url}{path}" if path.startswith("/") else path)

    def field(self, label: str) -> WebElement:
        """The input that a screen reader would call by this label."""
        for each in self.chrome.find_elements(By.CSS_SELECTOR, "input:not([type=hidden])"):
            if each.accessible_name == label:
                return each
        raise AssertionError(f"no input is labelled {label!r}: {self.text}")

    def fill(self, label: str, text: str) -> None:
        """Types into an input what shall stand there."""
        field = self.field(label)
        field.clear()
        field.send_keys(text)

    def press(self, name: str) -> None:
        """Uses a button, or a link, and waits for the page that follows."""
        before = self.chrome.find_element(By.TAG_NAME, "html")
        for each in self.chrome.find_elements(By.CSS_SELECTOR, "button, a"):
            if each.accessible_name == name:
                each.click()
                WebDriverWait(self.chrome, 20).until(lambda _: _is_gone(before))
                return
        raise AssertionError(f"there is no {name!r}: {self.text}")


@contextmanager
def person(url: str, profile: Path, *, javascript: bool = False) -> Iterator[Person]:
    """A new browser with nothing in it; without JavaScript unless asked for."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        missing("Chromium is not installed: `make tools` says what to do")
    options = Options()
    options.binary_location = binary
    for each in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(each)
    allowed = 1 if javascript else 2
    options.add_experimental_option(
        "prefs", {"profile.managed_default_content_settings.javascript": allowed}
    )
    chrome = Chrome(options=options, service=Service(driver))
    try:
        chrome.set_page_load_timeout(30)
        yield Person(chrome, url)
    finally:
        chrome.quit()


def _is_gone(element: WebElement) -> bool:
    try:
        return not element.is_displayed()
    except WebDriverException:
        return True
