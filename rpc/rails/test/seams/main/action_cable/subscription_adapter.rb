# frozen_string_literal: true

require "delegate"

module ActionCable
  module SubscriptionAdapter
    # Main's adapters post to the server's executor. The installed ones ask the server for an event loop, and get that.
    module ByExecutor
      class Server < SimpleDelegator
        def event_loop
          executor
        end
      end

      def initialize(server)
        super(Server.new(server))
      end
    end
    Base.prepend(ByExecutor)
  end
end
