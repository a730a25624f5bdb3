# frozen_string_literal: true

module Cablestay
  # In an event connection.subscriptions has the one subscription that it is for. The bridge knows the identifiers of the
  # others.
  module KnownIdentifiers
    # +all+ are those before the event, in their order; nil where there is none but +own+.
    def self.tell(subscriptions, all, own)
      return unless all || subscriptions.is_a?(self)

      subscriptions.extend(self)
      subscriptions.instance_variable_set(:@cablestay_others, all ? [ all, own ] : nil)
    end

    def identifiers
      all, own = @cablestay_others
      return super unless all

      present = super
      (all.reject { |identifier| identifier == own && !present.include?(own) } | present)
    end
  end
end
