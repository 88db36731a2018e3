"use strict";

// A file of its own, because the page's policy lets no inline script run.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  displayOperationId: true,
  displayRequestDuration: true,
  filter: true,
  // The badge would send the document to a validator on the internet.
  validatorUrl: null,
});
