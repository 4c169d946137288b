"""The same question to the same archive: how many records, and which of them are mapping calls that succeeded.

Usage: others.py json|orjson|duckdb DIRECTORY THREADS. Prints records and findings.
"""
import glob
import gzip
import multiprocessing
import sys

NAMES = ("CreateEventSourceMapping", "UpdateEventSourceMapping")


def records_of(item):
    if "Records" in item:
        for inner in item["Records"]:
            yield from records_of(inner)
    else:
        yield item.get("detail", item)


def read(path):
    raw = gzip.open(path).read()
    records = findings = 0
    for record in records_of(loads(raw)):
        records += 1
        if record["eventName"].startswith(NAMES) and "errorCode" not in record and "errorMessage" not in record:
            findings += 1
    return records, findings


def python(kind, files, threads):
    global loads
    loads = __import__(kind).loads
    with multiprocessing.get_context("fork").Pool(threads) as pool:
        parts = pool.map(read, files, chunksize=8)
    return sum(part[0] for part in parts), sum(part[1] for part in parts)


def duckdb(directory, threads):
    import duckdb as database

    connection = database.connect()
    connection.execute(f"SET threads = {threads}")
    query = """
        SELECT count(*), count(*) FILTER (
            (record->>'eventName' LIKE 'CreateEventSourceMapping%' OR record->>'eventName' LIKE 'UpdateEventSourceMapping%')
            AND record->>'errorCode' IS NULL AND record->>'errorMessage' IS NULL)
        FROM (SELECT unnest(Records) AS record
              FROM read_json(?, columns = {'Records': 'JSON[]'}, maximum_object_size = 100000000))
    """
    return connection.execute(query, [f"{directory}/**/*.gz"]).fetchone()


if __name__ == "__main__":
    kind, directory, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if kind == "duckdb":
        print(*duckdb(directory, threads))
    else:
        print(*python(kind, glob.glob(f"{directory}/**/*.gz", recursive=True), threads))
