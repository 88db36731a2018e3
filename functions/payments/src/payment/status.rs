//! Where a payment stands, and how it is taken.

florin_kernel::text::text_enum! {
    /// Where a payment stands (the states of a Stripe PaymentIntent).
    pub(crate) enum Status: "a payment's status" {
        RequiresPaymentMethod = "requires_payment_method",
        RequiresConfirmation = "requires_confirmation",
        RequiresAction = "requires_action",
        Processing = "processing",
        RequiresCapture = "requires_capture",
        Succeeded = "succeeded",
        Canceled = "canceled",
    }
}

florin_kernel::text::text_enum! {
    /// Whether a confirmed payment is taken at once or only authorized.
    #[derive(Default)]
    pub(crate) enum CaptureMethod: "a capture method" {
        /// Taken at once.
        #[default]
        Automatic = "automatic",
        /// Authorized, and captured by another call.
        Manual = "manual",
    }
}
