# frozen_string_literal: true

module ActionCable
  module Channel
    class Base
      # A reject in before_subscribe is a reject.
      def subscribe_to_channel
        run_callbacks(:subscribe) { subscribed unless subscription_rejected? }
        reject_subscription if subscription_rejected?
        ensure_confirmation_sent
      end

      def unsubscribe_from_channel
        @unsubscribed = true
        run_callbacks(:unsubscribe) { unsubscribed }
      end

      private
        def unsubscribed?
          @unsubscribed
        end
    end
  end
end
