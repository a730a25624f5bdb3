# frozen_string_literal: true

module ActionCable
  module Connection
    # The adapter is asked directly.
    module InternalChannel
      private
        def subscribe_to_internal_channel
          return if connection_identifier.blank?

          handler = ->(payload) { process_internal_message(ActiveSupport::JSON.decode(payload)) }
          (@_internal_subscriptions ||= []) << [ internal_channel, handler ]
          pubsub.subscribe(internal_channel, handler)
          logger.info("Registered connection (#{connection_identifier})")
        end

        def unsubscribe_from_internal_channel
          @_internal_subscriptions&.each { |channel, handler| pubsub.unsubscribe(channel, handler) }
        end
    end
  end
end
