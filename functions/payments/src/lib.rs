//! Payments: create, confirm, capture, cancel and refund.
