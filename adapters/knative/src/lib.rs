//! The Knative front: HTTP/1.1 and h2c on $PORT, CloudEvents at the guarded door, drain.
