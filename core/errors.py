"""The exception tree. Every message is one line that says what is wrong and what to do.

DreamFusionError            exit code 1: the job failed
  InputError                exit code 2: something the user gave cannot be used
  OutOfMemory               exit code 1: names the setting to lower
  Cancelled                 exit code 130: asked for; resume goes on from the newest checkpoint, if there is one
"""

from __future__ import annotations


class DreamFusionError(Exception):
    """The job failed; the message says why and what to do."""

    exit_code = 1


class InputError(DreamFusionError):
    """Something the user gave (a prompt, a path, a model name) cannot be used."""

    exit_code = 2


class OutOfMemory(DreamFusionError):
    """The device ran out of memory; the message names the setting to lower."""


class Cancelled(DreamFusionError):
    """The job was cancelled on request; the message says whether it can be resumed."""

    exit_code = 130
