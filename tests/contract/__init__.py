"""Whether other people's tools find the HTTP interface as it is described: fuzzing, clients.

The test run has a part of the first, by ``tests/test_contract.py``. The generators have pins of
their own, so the second installs them into environments under the folder for temporary files:

    python -m tests.contract.fuzz 300
    python -m tests.contract.clients
"""
