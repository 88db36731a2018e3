//! One suite that every adapter and every queue passes, on real servers and real processes.
