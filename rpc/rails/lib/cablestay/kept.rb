# frozen_string_literal: true

module Cablestay
  # The state that travelled to this event, and the state that travels on, which is sent only where it changed.
  class Kept
    HAD = 256 # states

    def initialize(connection_id, cable)
      @seal = Seal.new(connection_id)
      @cable = cable
      @before = {}
      @given = {} # what identifiers say, which is asked for after each event
      @had = []
    end

    def connection
      @cable.connection
    end

    # Of all states that are known here.
    def bytesize
      @before.each_value.sum(&:bytesize)
    end

    # This and the next raise UnreadableState.
    def restore_connection(token)
      had(token)
      saved = State::References.among(connection_objects) { State.load(opened(token)) }
      @sharing = State::Sharing.new(saved[:shared].objects)
      @cable.restore(saved)
    end

    def restore_channel(identifier, token)
      Channels.revive(@cable, identifier) do |channel|
        State::References.among(channel_objects(channel, connection_objects)) { State.load(opened(token, identifier), sharing.objects) }
      end
    end

    # For a connection that lives on: what other events have made of its state elsewhere, since the last one here. What has
    # changed here meanwhile, outside of events, stays, and so do the objects that nobody has changed. A state that was here
    # before is that of an event that the bridge had sent before it knew of a later one: it says nothing new.
    def catch_up(token)
      return if @had.include?(mark(token))

      @glance = nil
      before, bytes = @before[nil], @seal.open(token)
      had(token)
      return if bytes == before

      State::References.among(connection_objects) do
        owner = @cable.connection.class.name
        before, there = State.load(before), State.load(bytes)
        here = State.load(State.dump({ **@cable.saved, shared: State::Sharing::Table.new(sharing.objects) }, owner) { })
        take_over(before[:ivars], there[:ivars], State::Merge.new(before, here, there, owner: owner).saved)
      end
      @before[nil] = bytes
    end

    # Is all of the connection and of its channel as it was when both were last seen?
    def unchanged?(channel, streams)
      !@glance.nil? && @glance.same?(@cable.saved, saved(channel, streams))
    end

    # For unchanged?: they are what their states say, and stay.
    def see(channel, streams)
      State::Records.keep_whole
      @glance = (State::Glance.at(@cable.saved, saved(channel, streams)) if sharing.objects.empty?)
    end

    # This and the next give nil where nothing changed. The block is told what can't travel: see State.dump.
    def connection_token(&left_out)
      saved = look_anew
      shared = sharing.of_connection(@graph, @cable.table.values.map { |channel| graph_of(channel) })
      @references.among do
        sealed(State.dump({ **saved, shared: shared }, @cable.connection.class.name, graph: @graph,
          reload: reload?(:connection), &left_out))&.tap { |token| had(token) }
      end
    end

    def channel_token(channel, streams, &left_out)
      own = graph_of(channel)
      references_of(channel).among do
        saved = { **saved(channel, streams), shared: sharing.of_channel(own) }
        sealed(State.dump(saved, channel.class.name, graph: own, reload: reload?(:channels), &left_out),
          channel.identifier)
      end
    end

    # The state that holds what two events made of the connection's: see Merge.
    def merge(*tokens)
      State::References.among(connection_objects) do
        owner = @cable.connection.class.name
        merged = State::Merge.new(*tokens.map { |token| State.load(@seal.open(token)) }, owner: owner).saved
        @seal.seal(State.dump(merged, owner, reload: reload?(:connection)))
      end
    end

    private
      # The last ones are enough: no more events of a connection are under way at a time.
      def had(token)
        @had.shift if @had.size >= HAD
        @had << mark(token)
      end

      # No two tokens begin alike.
      def mark(token)
        token[0, Seal::NONCE * 4 / 3]
      end

      def take_over(before, there, merged)
        changed = merged[:ivars].reject do |name, _|
          before.key?(name) == there.key?(name) && State::Likeness.of(before[name]) == State::Likeness.of(there[name])
        end
        @cable.restore({ **merged, ivars: changed })
        (before.keys - merged[:ivars].keys).each do |name|
          @cable.connection.remove_instance_variable(name) if @cable.connection.instance_variable_defined?(name)
        end
        share_on(merged, State::Graph.new(changed))
      end

      # Channels hold the objects that the connection holds now: the living ones here, and those elsewhere by their ids.
      def share_on(merged, changed)
        living = @cable.saved[:ivars]
        twins = (living.keys & merged[:ivars].keys).each_with_object(State::Twins.new) do |name, all|
          all.pair(merged[:ivars][name], living[name]) unless merged[:ivars][name].equal?(living[name])
        end
        objects = merged[:shared].objects.transform_values { |object| changed.include?(object) ? object : twins.of(object).first }
        instead = sharing.take_over(objects.compact)
        @cable.table.each_value { |channel| Channels.exchange(channel, State::Transplant.new(instead)) } if instead.any?
      end

      def sharing
        @sharing ||= State::Sharing.new
      end

      def reload?(owner)
        State::Setting.current.reload?(owner)
      end

      def saved(channel, streams)
        Channels.saved(channel, streams, given(channel))
      end

      def given(channel)
        @given[channel.identifier] ||= Channels.decode(channel.identifier)
      end

      # What the connection has and holds at the end of the event.
      def look_anew
        @glance = nil
        @graphs, @references_of = {}.compare_by_identity, {}.compare_by_identity
        @references = State::References.new(connection_objects)
        @cable.saved.tap { |saved| @graph = State::Graph.new(saved[:ivars], references: @references) }
      end

      # This and the next since then.
      def graph_of(channel)
        @graphs[channel] ||= State::Graph.new(Channels.ivars(channel, given(channel)), beyond: @graph, references: references_of(channel))
      end

      def references_of(channel)
        @references_of[channel] ||= State::References.new(channel_objects(channel, @references.objects))
      end

      def opened(token, identifier = nil)
        @before[identifier] = @seal.open(token, identifier)
      end

      def sealed(bytes, identifier = nil)
        return if bytes == @before[identifier]

        @before[identifier] = bytes
        @seal.seal(bytes, identifier)
      end

      def connection_objects
        server = @cable.server
        { "connection" => @cable.connection, "subscriptions" => @cable.connection.subscriptions,
          "logger" => @cable.connection.logger, "server" => server, "pubsub" => server.pubsub,
          "worker pool" => server.worker_pool, "ActionCable.server" => ActionCable.server,
          "Rails.logger" => (Rails.logger if defined?(Rails.logger)) }.compact
      end

      def channel_objects(channel, connection_objects)
        connection_objects.merge(identifying_records, "channel" => channel)
      end

      # A record that identifies the connection is one object in all of its channels, as in stock. Its name says
      # which record it is: the connection may be given another one.
      def identifying_records
        records = @cable.connection.identifiers.map { |name| @cable.connection.instance_variable_get("@#{name}") }
        records.select { |value| value.respond_to?(:to_gid_param) && value.respond_to?(:id) && value.id }
          .to_h { |record| [ [ record.class.name, record.id ], record ] }
      end
  end
end
