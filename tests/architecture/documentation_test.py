"""What the documentation links to, names and tells to run is there."""

import fnmatch
import pathlib
import re
import urllib.parse

import repository

LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
FENCE = re.compile(r"^\s*(```|~~~)")


def prose(text):
    """(number, line) of the lines outside code blocks; inline code is blanked."""
    fenced = False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, re.sub(r"`[^`]*`", lambda code: "x" * len(code.group()), line)


def anchors(text):
    """GitHub's anchors of the headings."""
    found = set()
    for line in text.splitlines():
        if line.startswith("#"):
            title = re.sub(r"[`*]", "", line.lstrip("#").strip()).lower()
            found.add(re.sub(r"[^\w\- ]", "", title).replace(" ", "-"))
    return found


def check_link(path, number, link, problems):
    if re.match(r"[a-z][a-z0-9+.-]*:", link):
        return
    target, _, anchor = urllib.parse.unquote(link).partition("#")
    file = (repository.root() / path.parent / target) if target else repository.root() / path
    if not file.exists():
        problems.append(f"{path}:{number}: {link} leads nowhere")
    elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
        problems.append(f"{path}:{number}: {link}: there is no such heading")


def check_error_reasons(problems):
    """docs/metrics.md names each row of the error table: source, status, reason."""
    rows = re.findall(r'\{(\d{3}), k(\w+), k\w+, "(\w+)"\}', repository.text("proxy/error.cc"))
    coded = {(source.lower(), status, reason) for status, source, reason in rows}
    documented = set()
    for source, cell in re.findall(r"^\| `(downstream|upstream|internal)` \| (.*) \|$", repository.text("docs/metrics.md"), re.M):
        for status, reasons in re.findall(r"(\d{3})[^:`]*: ((?:`\w+`(?:, )?)+)", cell):
            documented |= {(source, status, reason) for reason in re.findall(r"`(\w+)`", reasons)}
    if len(coded) < 20:
        problems.append("proxy/error.cc: the table of errors was not found")
    problems += [f"docs/metrics.md: {' '.join(row)} is only in {'proxy/error.cc' if row in coded else 'the table'}"
                 for row in sorted(coded ^ documented)]


def check_named_files(problems):
    """Files that prose names in backquotes with a folder in front exist; FOLDER stands for any."""
    folders = "|".join((*repository.FOLDERS, "tests", "scripts", "docs", "examples", "packaging", "cmake"))
    named = 0
    for path in repository.files(".md"):
        for name in re.findall(rf"`((?:{folders})/[^`\s]+\.(?:h|cc|py|md|yaml|csv|txt|cmake|service))`", repository.text(path)):
            named += 1
            if not any(repository.root().glob(name.replace("FOLDER", "*"))):
                problems.append(f"{path}: names `{name}`, which does not exist")
    if named < 40:
        problems.append(f"only {named} names of files were found in backquotes")


def test_programs():
    """{"routing_test": its sources}, from tests/FOLDER/CMakeLists.txt."""
    programs = {}
    for path in repository.files(".txt"):
        if path.parts[0] != "tests":
            continue
        for name, sources in re.findall(r"weir_test\(\s*NAME (\w+).*?SOURCES\s+(.*?)\s+(?:DEPENDS|LABELS|\))", repository.text(path), re.S):
            texts = [path.parent / source for source in sources.split() if source != "ALONE" and not source.startswith("$")]
            programs[f"{name}_test"] = "\n".join(repository.text(source) for source in texts)
    return programs


def check_test_commands(problems):
    """Commands that documents and scripts give for tests run some: the program has tests that the filter takes."""
    programs, commands = test_programs(), 0
    for path in [*repository.files(".md"), pathlib.PurePosixPath("scripts/test-long")]:
        text = repository.text(path)
        for program, pattern in re.findall(r"build/\w+/(\w+_test) --gtest_filter='?([\w.*]+)", text):
            commands += 1
            tests = [".".join(names) for names in re.findall(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", programs.get(program, ""))]
            if not fnmatch.filter(tests, pattern):
                problems.append(f"{path}: {program} has no test {pattern}")
        for program in re.findall(r"--target (\w+_test)\b", text):
            if program not in programs:
                problems.append(f"{path}: there is no target {program}")
        for case in re.findall(r"-R e2e\.(\w+)", text):
            if not (repository.root() / f"tests/e2e/test_{case}.py").is_file():
                problems.append(f"{path}: there is no case e2e.{case}")
    if commands < 3:
        problems.append("the commands of CONTRIBUTING.md and scripts/test-long that run tests were not found")


# spec: alb.md 17.
CLOUDWATCH_METRICS = """
ActiveConnectionCount NewConnectionCount RejectedConnectionCount ClientTLSNegotiationErrorCount BYoIPUtilPercentage
RequestCount GrpcRequestCount IPv6RequestCount ProcessedBytes IPv6ProcessedBytes RuleEvaluations NonStickyRequestCount
AppCookieNonStickinessCount DesyncMitigationMode_NonCompliant_Request_Count DroppedInvalidHeaderRequestCount
ForwardedInvalidHeaderRequestCount HTTP_Fixed_Response_Count HTTP_Redirect_Count HTTP_Redirect_Url_Limit_Exceeded_Count
HTTPCode_ELB_3XX_Count HTTPCode_ELB_4XX_Count HTTPCode_ELB_5XX_Count HTTPCode_ELB_500_Count HTTPCode_ELB_502_Count
HTTPCode_ELB_503_Count HTTPCode_ELB_504_Count LowReputationPacketsDropped LowReputationRequestsDenied
ExcessiveLowReputationPackets ConsumedLCUs PeakLCUs ReservedLCUs CapacityUtilization HealthyHostCount UnHealthyHostCount
AnomalousHostCount MitigatedHostCount HTTPCode_Target_2XX_Count HTTPCode_Target_3XX_Count HTTPCode_Target_4XX_Count
HTTPCode_Target_5XX_Count RequestCountPerTarget TargetConnectionErrorCount TargetResponseTime TargetTLSNegotiationErrorCount
ActiveZonalShiftHostCount HealthyStateDNS HealthyStateRouting UnhealthyStateDNS UnhealthyStateRouting UnhealthyRoutingRequestCount
LambdaInternalError LambdaUserError LambdaTargetProcessedBytes ELBAuthSuccess ELBAuthFailure ELBAuthError ELBAuthLatency
ELBAuthRefreshTokenSuccess ELBAuthUserClaimsSizeExceeded
""".split()


def check_metrics(problems):
    """docs/metrics.md has every family that is written and no other, and every metric of CloudWatch; the help text of the family
    that a row of CloudWatch's names gives has AWS's name."""
    document = repository.text("docs/metrics.md")
    sources = "".join(repository.text(path) for path in repository.files(".cc") if path.parts[0] == "control")
    helps = {}
    for name, text in re.findall(r'"(weir_[a-z0-9_]+)",((?:\s*"(?:counter|gauge|histogram)",)?(?:\s*"(?:[^"\\]|\\.)*")+)', sources):
        helps[name] = " ".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text))
    if len(helps) < 100:
        problems.append(f"control/: only {len(helps)} families of metrics were found")
    named = set(re.findall(r"\bweir_[a-z0-9_]+[a-z0-9]\b", document))
    for short in re.findall(r"`…(_[a-z_]+)`", document):
        named |= {name for name in helps if name.endswith(short)}
    problems += [f"docs/metrics.md: {name} is missing" for name in sorted(set(helps) - named)]
    problems += [f"docs/metrics.md: nothing writes {name}" for name in sorted(named - set(helps)) if f'"{name}"' not in sources]
    section = document.partition("## CloudWatch's names")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([A-Za-z][\w, ]+) \| (.*?) \| (.*?) ?\|$", section, re.M)
    placed = set(re.findall(r"\w+", section.partition("What has no counterpart")[2]))
    for metrics, here, _ in rows:
        placed |= set(metrics.split(", "))
        if "increase(" in here:
            continue  # an expression: no family counts it
        families = re.findall(r"`(weir_[a-z0-9_]+)", here)
        for metric in CLOUDWATCH_METRICS:
            if metric in metrics.split(", ") and not any(re.search(rf"\b{metric}\b", helps.get(family, "")) for family in families):
                problems.append(f"docs/metrics.md: no help text of {', '.join(families)} has {metric}")
    problems += [f"docs/metrics.md: {metric} of CloudWatch is missing" for metric in CLOUDWATCH_METRICS if metric not in placed]


def main():
    problems = []
    check_error_reasons(problems)
    check_named_files(problems)
    check_test_commands(problems)
    check_metrics(problems)
    for path in repository.files(".md"):
        for number, line in prose(repository.text(path)):
            for link in LINK.findall(line):
                check_link(path, number, link, problems)
    readme = repository.text("README.md")
    for command in ("scripts/demo", "scripts/test"):
        if command not in readme:
            problems.append(f"README.md: does not name {command}")
        if not (repository.root() / command).stat().st_mode & 0o111:
            problems.append(f"{command}: is not executable")
    repository.finish(problems)


main()
