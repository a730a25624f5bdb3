# frozen_string_literal: true

require_relative "live/jobs"

module Cablestay
  # Connections and channels that must live on in the process that made them: because a stream has a block, an instance variable
  # can't travel, or a thread transmits when it likes. A Link carries their events in and their effects out.
  module Live
    # Raised at subscribe time where the app has said that it wants no living channels.
    class NotAllowed < Error; end

    # From here to the bridge for one connection.
    class Road
      def self.of(request, env)
        request.bridge ? new(request.bridge, request.string("connection"), Links.offered?(env)) : NO_ROAD
      end

      def initialize(bridge, connection_id, offered)
        @bridge, @connection_id, @offered = bridge, connection_id, offered
      end

      attr_reader :bridge

      # Is there a link, or will there be one when the event is answered?
      def open?
        @offered || !Links.of(@bridge).nil?
      end

      # Waits until the bridge has done what it was sent. Where +live+ is set, also until it follows all streams in that, so that what
      # is published from now on comes along them.
      def applied(live: false)
        Links.of(@bridge)&.ask("applied", live: live)
      end

      # What was sent along the link must not be overtaken by an answer that goes another way.
      def before_answer
        applied if @offered
      end

      # False where there is no link.
      def send_effects(effects)
        send_line(effects: effects)
      end

      def send_line(members)
        link = Links.of(@bridge)
        link ? link.send_line({ connection: @connection_id, **members }) : false
      end
    end

    # Where the request came from a bridge that takes no links.
    NO_ROAD = Class.new do
      def bridge
      end

      def open?
        false
      end

      def send_effects(_effects)
        false
      end
    end.new

    class << self
      attr_reader :jobs

      # As config.cablestay.live says.
      def configure(allowed)
        return @allowed = allowed if [ true, false ].include?(allowed)

        raise ConfigurationError, "config.cablestay.live is #{allowed.inspect}: it may be true or false"
      end

      def allowed?
        @allowed
      end

      # This process, in the contract's word.
      def worker
        @worker = nil unless @pid == ::Process.pid # a fork is another one
        @pid = ::Process.pid
        @worker ||= "#{@pid}-#{SecureRandom.hex(4)}"
      end
    end

    @allowed = true
    @jobs = Jobs.new
  end
end
