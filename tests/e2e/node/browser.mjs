// Loads a page in Chromium. Options: url, address (where every host name leads), pins (keys whose certificates need no authority),
// executable, timeout (milliseconds), until (an expression that the page makes true). Prints the title, what each request got, by which versions of HTTP, and what
// the page complained about.
import {chromium} from "playwright-core";

const {url, address, pins, executable, timeout, until} = JSON.parse(process.argv[2]);
const browser = await chromium.launch({
  executablePath: executable,
  timeout,
  chromiumSandbox: false, // root, and containers, have none
  args: [
    `--host-resolver-rules=MAP * ${address}`,
    `--ignore-certificate-errors-spki-list=${pins.join(",")}`,
    "--no-proxy-server",
    "--disable-dev-shm-usage",
  ],
});
try {
  const page = await browser.newPage();
  const responses = [];
  const errors = [];
  page.on("response", (response) => responses.push(response));
  page.on("requestfailed", (request) => errors.push(`${request.url()}: ${request.failure()?.errorText}`));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(url, {waitUntil: "networkidle", timeout}).catch((error) => errors.push(String(error)));
  if (until !== undefined) await page.waitForFunction(until, undefined, {timeout}).catch((error) => errors.push(String(error)));
  const title = await page.title();
  // "h2", "http/1.1": how many loads of the page each had.
  const hops = await page.evaluate(() => {
    const counts = {};
    for (const kind of ["navigation", "resource"]) {
      for (const entry of performance.getEntriesByType(kind)) counts[entry.nextHopProtocol] = (counts[entry.nextHopProtocol] ?? 0) + 1;
    }
    return counts;
  });
  const seen = [];
  for (const response of responses) {
    const details = await response.securityDetails();
    seen.push({
      url: response.url(),
      status: response.status(),
      protocol: details?.protocol ?? null,
      subject: details?.subjectName ?? null,
    });
  }
  console.log(JSON.stringify({title, responses: seen, hops, errors}));
} finally {
  await browser.close();
}
