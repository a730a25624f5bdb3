# frozen_string_literal: true

module Cablestay
  module Rpc
    # One tick of a channel's +periodically+. It is a job of the worker's, not a command: no callbacks of commands, no rescue_from.
    class Timer < ChannelCommand
      private
        def read(request)
          super
          @number, @every = request.number("timer"), request.number("every")
        end

        def receiver
          channel
        end

        def execute
          channel.instance_exec(&callback)
        end

        # After a deploy it may be another, or none.
        def revive
          super
          raise UnreadableState, "#{channel.class.name} no longer has a timer that ticks every #{@every} s" unless callback
        end

        def callback
          callback, options = channel.class.periodic_timers[@number]
          callback if callback && options.fetch(:every).to_f == @every.to_f
        end
    end
  end
end
