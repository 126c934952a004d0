"""A recording replayed through the whole provider: real enrolments, sessions, orders, receipts."""

import csv
import json
from decimal import Decimal

import pytest
from click.testing import CliRunner

from tallystick.entry.auditing import audit_provider
from tallystick.entry.cli.main import cli
from tallystick.entry.replay import read_rows, replay
from tallystick.entry.settings import ProviderFolder

# In the form of PaySim (E. A. Lopez-Rojas et al., 2016); the figures are made up.
RECORDING = """\
step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest
1,PAYMENT,63.43,C1,1024.11,960.68,M1,0,0
1,PAYMENT,1500,C2,0,0,M2,0,0
1,CASH_IN,474.3,C3,309.82,784.12,C90,23.91,0
1,CASH_IN,20,C4,0,20,C90,0,0
2,CASH_OUT,1000.77,C5,63,0,C91,0,0
2,CASH_OUT,63.01,C6,63.01,0,C90,0,0
2,TRANSFER,1.00E+07,C7,1.86E+07,8594065.09,C92,0,0
2,TRANSFER,5,C8,4.99,0,C90,0,0
30,DEBIT,12.81,C9,314.75,301.94,C93,871.79,837.69
30,DEBIT,1,C10,0.5,0,C91,0,0
30,PAYMENT,509.09,C11,6095.85,5586.77,M1,0,0
"""
POSTED, REFUSED = 7, 4


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    file = tmp_path_factory.mktemp("recording") / "recording.csv"
    file.write_text(RECORDING, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def replayed(recording, tmp_path_factory):
    folder = ProviderFolder(tmp_path_factory.mktemp("replay") / "provider")
    return replay(read_rows(recording), folder), folder


def test_every_row_comes_to_what_its_columns_say(replayed):
    found, _ = replayed
    assert (found.posted, found.refused_funds, found.differ) == (POSTED, REFUSED, 0)
    assert found.exact == POSTED - 2
    assert found.rounded == 2
    assert found.as_recorded()


def test_each_name_has_a_device_and_agents_too_where_they_consent(replayed):
    found, _ = replayed
    names, agents_who_cash_in = 11, 1
    assert found.devices == names + agents_who_cash_in
    merchants, agents, people, bank = 2, 2, 2, 1
    assert found.parties == names + merchants + agents + people + bank


def test_a_second_pass_moves_nothing_and_is_answered_as_before(replayed):
    found, _ = replayed
    assert (found.again, found.again_same, found.again_events) == (11, 11, 0)


def test_the_tally_of_a_replay_is_whole(replayed):
    found, folder = replayed
    report = audit_provider(folder)
    assert not report.findings
    assert report.rows == found.events


def test_a_recording_that_says_something_else_is_noticed(recording, tmp_path):
    text = recording.read_text().replace("960.68", "960.70").replace("C2,0,0", "C2,1500,0")
    other = tmp_path / "other.csv"
    other.write_text(text, encoding="utf-8")
    found = replay(read_rows(other), ProviderFolder(tmp_path / "provider"), again=False)
    assert found.differ == 1
    assert [one.line for one in found.differences] == [2]
    assert found.posted == POSTED + 1
    assert not found.as_recorded()


def test_the_command_says_what_it_came_to(recording):
    done = CliRunner().invoke(cli, ["replay", str(recording), "--json"], standalone_mode=False)
    assert done.return_value == 0
    told = json.loads(done.stdout)
    assert (told["posted"], told["refused_funds"], told["findings"]) == (POSTED, REFUSED, 0)


def test_the_command_fails_where_the_recording_differs(recording, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text(recording.read_text().replace("960.68", "960.70"), encoding="utf-8")
    arguments = ["replay", str(other), "--once", "--keep", str(tmp_path / "kept")]
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert done.return_value == 4
    assert "line 2: balance 96068, recorded 96070" in done.stdout
    assert not audit_provider(ProviderFolder(tmp_path / "kept")).findings


def expected(file, every=1):
    """What the columns themselves say, read without the code under test: posted and refused."""
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))[::every]
    posted = sum(
        row["type"] == "CASH_IN" or Decimal(row["oldbalanceOrg"]) >= Decimal(row["amount"])
        for row in rows
    )
    return posted, len(rows) - posted


@pytest.fixture
def paysim(test_data):
    file = test_data / "mobile-money" / "paysim_sample.csv"
    if not file.is_file():
        pytest.skip(f"the PaySim sample is absent: {file}")
    return file


def test_every_tenth_row_of_the_paysim_sample(paysim, tmp_path):
    rows = read_rows(paysim)[::10]
    found = replay(rows, ProviderFolder(tmp_path / "provider"))
    assert (found.posted, found.refused_funds) == expected(paysim, every=10)
    assert found.as_recorded()


@pytest.mark.soak
def test_the_whole_paysim_sample(paysim, tmp_path):
    found = replay(read_rows(paysim), ProviderFolder(tmp_path / "provider"))
    assert (found.posted, found.refused_funds) == expected(paysim) == (4129, 3428)
    assert found.as_recorded()
