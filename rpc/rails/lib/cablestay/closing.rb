# frozen_string_literal: true

module Cablestay
  # What runs when a connection is gone: every unsubscribed, then disconnect. One that raises does not stop the others,
  # unlike in stock, and what they transmit goes nowhere.
  class Closing
    def initialize(cable)
      @cable = cable
    end

    def run(identifiers, disconnect:)
      identifiers.each do |identifier|
        channel = @cable.table[identifier]
        logging_exceptions { @cable.connection.subscriptions.remove_subscription(channel) } if channel
      end
      logging_exceptions { @cable.disconnect } if disconnect
    end

    private
      def logging_exceptions(&block)
        Event.logging_exceptions(@cable.connection.logger, @cable.receiver, &block)
      end
  end
end
