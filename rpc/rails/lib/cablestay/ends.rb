# frozen_string_literal: true

module Cablestay
  # Whether anything is to run in Ruby, or to be logged, when a connection or a subscription ends. Where it is certain that there is not,
  # answers say so, and the bridge does not send that end. Action Cable emits no notification there.
  #
  # What a class runs is looked up once, and again when it gets or loses a callback: after each event there is only time for a glance.
  class Ends
    NOTHING = "nothing"
    MOST = 1_000 # classes: where code is reloaded, there are ever new ones

    # By whether the connection, and the subscription, end with nothing to run.
    MEMBERS = [ [ {}, { end: NOTHING } ], [ { connection_end: NOTHING }, { connection_end: NOTHING, end: NOTHING } ] ].each { |each| each.each(&:freeze) }.freeze
    NONE = MEMBERS.first.first

    # What was found of a class, and of its +callbacks+ at that time.
    Connections = Struct.new(:callbacks, :close, :commands, :identifiers, :owners)
    Channels = Struct.new(:callbacks, :close, :owners)
    Jobs = Struct.new(:executor, :work, :run, :complete, :stock)

    METHOD = Kernel.instance_method(:method) # an app may have an action of this name

    LAZY = MiddlewareEnv::Lazy.instance_methods.size # of which this gem has given a connection

    class << self
      attr_writer :current

      def current
        @current ||= new
      end
    end

    def initialize
      @connections, @channels = {}.compare_by_identity, {}.compare_by_identity
    end

    # For an answer: of the connection's end, and, where the event has left one, of its +channel+'s.
    def of(cable, channel)
      connection = cable.connection
      connections = of_connections(connection.class)
      return NONE if RailsVersions.logs_info?(connection.logger) || !jobs.stock || !RailsVersions.stock_resets? || methods_of_its_own?(connection, connections.owners)

      MEMBERS[connections.close && !cable.disconnects? ? 1 : 0][channel && connections.commands && nothing?(channel, connections) ? 1 : 0]
    end

    private
      # Rails itself gives each channel its connection's identifiers, as methods of its own.
      def nothing?(channel, connections)
        channels = of_channels(channel.class)
        channels.close && channel.singleton_methods.size == connections.identifiers && as_found?(channel, channels.owners)
      end

      def methods_of_its_own?(connection, owners)
        connection.singleton_methods.size != (MiddlewareEnv::Lazy === connection ? LAZY : 0) || !as_found?(connection, owners)
      end

      # Private methods of its own are not among its singleton methods, and its class, too, may have been given one since.
      def as_found?(object, owners)
        owners.all? { |name, owner| METHOD.bind_call(object, name).owner.equal?(owner) }
      end

      def owners(type, names)
        names.filter_map { |name| [ name, type.instance_method(name).owner ] if type.method_defined?(name) || type.private_method_defined?(name) }.to_h
      end

      def of_connections(type)
        callbacks = RailsVersions.command_callbacks(type)
        found = @connections[type]
        return found if found && found.callbacks.equal?(callbacks)

        close = RailsVersions.stock_close?(type)
        commands = RailsVersions.stock_unsubscribe?(type) && (callbacks.nil? || callbacks.none?)
        owners = owners(type, RailsVersions::LATE_CONNECTION_END)
        keep(@connections, type, Connections.new(callbacks, close, commands, type.identifiers.size, owners)) { |all| @connections = all }
      end

      def of_channels(type)
        callbacks = RailsVersions.callbacks(type, :unsubscribe)
        found = @channels[type]
        return found if found && found.callbacks.equal?(callbacks)

        close = Stock.methods?(type, RailsVersions::CHANNEL_END) && Stock.callbacks?(callbacks, type)
        keep(@channels, type, Channels.new(callbacks, close, owners(type, RailsVersions::LATE_CHANNEL_END))) { |all| @channels = all }
      end

      # Each event is a job of Action Cable's worker, in an execution of the app: an app may have hooks there.
      def jobs
        executor, work, found = executor(), RailsVersions.callbacks(ActionCable::Server::Worker, :work), @jobs
        run, complete = RailsVersions.callbacks(executor, :run), RailsVersions.callbacks(executor, :complete) if executor
        return found if found && found.work.equal?(work) && found.run.equal?(run) && found.complete.equal?(complete)

        stock = RailsVersions.stock_jobs? && Stock.callbacks?(work, ActionCable::Server::Worker) &&
          (executor.nil? || RailsVersions.stock_executions?(executor)) && [ run, complete ].compact.all? { |chain| Stock.callbacks?(chain, executor) }
        @jobs = Jobs.new(executor, work, run, complete, stock)
      end

      # Once there is an application, there is no other.
      def executor
        @jobs&.executor || (Rails.application&.executor if defined?(Rails.application))
      end

      # Others may be reading: so it is another Hash.
      def keep(all, type, found)
        all = {}.compare_by_identity if all.size >= MOST
        yield all.merge(type => found)
        found
      end
  end
end
