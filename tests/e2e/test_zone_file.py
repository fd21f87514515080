"""Zone files (RFC 1035 section 5) beside the configuration: served, watched, and refused with their own lines."""

from weir_e2e import dig, wait_for

CONFIG = """
dns: {addresses: [127.0.0.1], port: 0}
admin: {address: 127.0.0.1, port: 0}
zones: [{name: a.test, file: a.zone, records: [{name: extra, type: A, ttl: 5s, values: [192.0.2.9]}]}]
"""
ZONE = """$TTL 60
@    SOA ns1 hostmaster 7 2h 15m 2w 60
     NS  ns1
ns1  A   192.0.2.53
$INCLUDE hosts.zone
$GENERATE 1-3 h$ A 192.0.2.$
"""


def values(weir, name, kind="A"):
    return dig(weir.dns_port, name, kind, "+short").text.split()


def test_records_of_a_zone_file_are_served_and_follow_the_file(run, tmp_path):
    (tmp_path / "a.zone").write_text(ZONE, encoding="utf-8")
    hosts = tmp_path / "hosts.zone"
    hosts.write_text("www A 192.0.2.80\n", encoding="utf-8")
    weir = run(CONFIG)
    assert values(weir, "www.a.test") == ["192.0.2.80"]
    assert values(weir, "h2.a.test") == ["192.0.2.2"]
    assert values(weir, "extra.a.test") == ["192.0.2.9"]
    assert values(weir, "a.test", "NS") == ["ns1.a.test."]
    assert values(weir, "a.test", "SOA") == ["ns1.a.test.", "hostmaster.a.test.", "7", "7200", "900", "1209600", "60"]
    hosts.write_text("www A 192.0.2.81\n", encoding="utf-8")
    wait_for(lambda: values(weir, "www.a.test") == ["192.0.2.81"], 10, "the included file to be read again")
    hosts.write_text("www A 192.0.2.82\nwww2 AAAA 192.0.2.1\n", encoding="utf-8")
    wait_for(lambda: "hosts.zone:2:11: error: AAAA value" in weir.log(), 10, "the mistake to be named at its place")
    assert values(weir, "www.a.test") == ["192.0.2.81"], "the old configuration serves"
    hosts.write_text("www A 192.0.2.83\n", encoding="utf-8")
    wait_for(lambda: values(weir, "www.a.test") == ["192.0.2.83"], 10, "the mended file to be read")
