-- What needs a person is counted every few seconds, and must be found beside a week of effects that are done.

CREATE INDEX florin_effects_needs_review ON florin_effects (created_at) WHERE state = 'needs_review';
