"""What the files of a job hold, as JSON."""

from hashlib import sha256
from uuid import UUID

import msgspec
from attrs import frozen

from catalog.domain.imports import ImportJob, ReportLine

JOB = "job.json"
REPORT = "report.ndjson"
STOP = "stop"


@frozen(kw_only=True)
class Kept:
    """The job, and how long its report is: what stands beyond that was not done."""

    job: ImportJob
    reported: int = 0


@frozen(kw_only=True)
class Key:
    """Which import was asked for with an idempotency key, and how."""

    id: UUID
    fingerprint: str


def key_name(actor: str, key: str) -> str:
    """Return the name of the file of a key."""
    return sha256(f"{actor}\0{key}".encode()).hexdigest()


def encoded(value: object) -> bytes:
    """Return the value as JSON."""
    return msgspec.json.encode(value)


decoded_job = msgspec.json.Decoder(Kept).decode
decoded_key = msgspec.json.Decoder(Key).decode
decoded_line = msgspec.json.Decoder(ReportLine).decode
