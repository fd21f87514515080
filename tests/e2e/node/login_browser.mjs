// Chromium that signs in at an oidc-provider, one step after the other in one browser. Options: address, pins, executable, timeout as of
// browser.mjs; steps, each {goto: URL} with one of {login: NAME} (fills in the provider's pages), {deny: true} (leaves them by their
// link), {seconds} (loads the page again and again for so long). Prints for each where it ended, the status and text there, the cookies by
// their names, and with `seconds` every status and text on the way.
import {chromium} from "playwright-core";

const {address, pins, executable, timeout, steps} = JSON.parse(process.argv[2]);
const browser = await chromium.launch({
  executablePath: executable,
  timeout,
  chromiumSandbox: false, // root, and containers, have none
  args: [`--host-resolver-rules=MAP * ${address}`, `--ignore-certificate-errors-spki-list=${pins.join(",")}`, "--no-proxy-server", "--disable-dev-shm-usage"],
});
const page = await browser.newPage();
page.setDefaultTimeout(timeout);
// The answer of the navigation that ended last.
let last = null;
page.on("response", (response) => {
  if (response.request().isNavigationRequest() && response.frame() === page.mainFrame()) last = response;
});
const load = async (url) => {
  await page.goto(url, {waitUntil: "load"});
};
const text = () => page.evaluate("(document.querySelector('pre') ?? document.body).innerText");
const results = [];
try {
  for (const step of steps) {
    await load(step.goto);
    if (step.login !== undefined) {
      await page.fill("input[name=login]", step.login);
      await page.fill("input[name=password]", "any");
      await page.click("button[type=submit]");
      await page.waitForLoadState("load");
      if (await page.locator("input[name=prompt][value=consent]").count()) {
        await page.click("button[type=submit]");
        await page.waitForLoadState("load");
      }
    }
    if (step.deny) {
      await page.click("a[href$='/abort']");
      await page.waitForLoadState("load");
    }
    const seen = [];
    for (const end = Date.now() + (step.seconds ?? 0) * 1000; Date.now() < end; ) {
      await load(step.goto);
      seen.push({status: last?.status(), text: await text()});
    }
    const cookies = await page.context().cookies();
    results.push({
      url: page.url(),
      status: last?.status(),
      text: await text(),
      seen,
      cookies: Object.fromEntries(cookies.map((cookie) => [cookie.name, cookie])),
    });
  }
  console.log(JSON.stringify(results));
} finally {
  await browser.close();
}
