"""Whether other people's tools find the HTTP interface as it is described: fuzzing, clients.

Not part of the test run, as these tools have pins of their own; each command installs its tool
into an environment of its own under the folder for temporary files:

    python -m tests.contract.fuzz 300
    python -m tests.contract.clients
"""
