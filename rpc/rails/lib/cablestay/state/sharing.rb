# frozen_string_literal: true

require "securerandom"

module Cablestay
  module State
    # Objects that a channel and its connection both hold. Each has an id, which the connection's state knows as long as
    # the connection holds the object. The channel's state has the id with a copy: for the time when the connection
    # holds it no more.
    class Sharing
      # At the start of a state: id => object.
      Table = Struct.new(:objects)

      attr_reader :objects

      # +objects+ that the connection's state knew, by their ids.
      def initialize(objects = {})
        @objects = objects
        @ids = {}.compare_by_identity
        objects.each { |id, object| @ids[object] ||= id }
      end

      # What the connection, whose objects are in +graph+, shares with channels of these graphs or did so before.
      def of_connection(graph, channels)
        channels.each { |channel| of_channel(channel) }
        Table.new(@objects.select { |_, object| graph.include?(object) })
      end

      # What the channel of this graph shares with the connection.
      def of_channel(graph)
        Table.new(graph.met.select { |object| identity?(object) }.to_h { |object| [ id(object), object ] })
      end

      # The connection holds other objects now, known by the same ids: former ones => those in their places.
      def take_over(objects)
        objects.each_with_object({}.compare_by_identity) do |(id, object), instead|
          former = @objects[id]
          instead[former] = object unless former.nil? || former.equal?(object)
          @objects[id] = object
          @ids[object] ||= id
        end
      end

      private
        def id(object)
          @ids[object] ||= SecureRandom.random_number(2**48).tap { |id| @objects[id] = object }
        end

        # Nothing that an app does could tell a frozen string from its copy.
        def identity?(object)
          !(String === object && object.frozen?)
        end
    end
  end
end
