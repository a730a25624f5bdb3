# frozen_string_literal: true

module ActionCable
  module Channel
    # No more on an event loop; only handlers of the app's run in the worker pool.
    module Streams
      def stream_from(broadcasting, callback = nil, coder: nil, &block)
        return if unsubscribed?

        name = String(broadcasting)
        defer_subscription_confirmation!
        streams[name] = worker_pool_stream_handler(name, callback || block, coder: coder)
        pubsub.subscribe(name, streams[name], -> { streaming_from(name) })
      end

      def stop_stream_from(broadcasting)
        name = String(broadcasting)
        handler = streams.delete(name) or return

        pubsub.unsubscribe(name, handler)
        logger.info("#{self.class.name} stopped streaming from #{name}")
      end

      private
        def streaming_from(name)
          ensure_confirmation_sent
          logger.info("#{self.class.name} is streaming from #{name}")
        end

        def worker_pool_stream_handler(broadcasting, user_handler, coder: nil)
          handler = stream_handler(broadcasting, user_handler, coder: coder)
          user_handler ? ->(payload) { connection.perform_work(handler, :call, payload) } : handler
        end
    end
  end
end
