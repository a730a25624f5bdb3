# frozen_string_literal: true

module Cablestay
  module State
    # Objects of Rails that app objects may point to from within their state (a presenter that knows its
    # channel, say). They don't travel: a name does, and is the living object again on the other side.
    class References
      CURRENT = :cablestay_references

      # At the top of the state, for objects whose class is nobody's to extend.
      Reference = Struct.new(:name)

      class << self
        def current
          Thread.current.thread_variable_get(CURRENT)
        end

        # Marshals and unmarshals in the block know +objects+, a Hash of name => object.
        def among(objects, &block)
          new(objects).among(&block)
        end
      end

      # For classes of Rails whose objects are named when they are reached in the middle of a graph.
      module Named
        def self.included(type)
          type.extend(Loading)
        end

        def _dump(_depth)
          References.current&.name_of(self) || raise(TypeError, "a #{self.class} can't be kept between events")
        end

        module Loading
          def _load(name)
            References.current&.named(name.dup.force_encoding(Encoding::UTF_8)) ||
              raise(TypeError, "no #{name} in this event")
          end
        end
      end

      attr_reader :objects

      def initialize(objects)
        @objects = objects
      end

      # The same for these.
      def among
        before = References.current
        Thread.current.thread_variable_set(CURRENT, self)
        yield
      ensure
        Thread.current.thread_variable_set(CURRENT, before)
      end

      def name_of(object)
        names[object]
      end

      # One of Rails' own, wherever it is in the graph; a record is named only at the top.
      def rails?(object)
        names[object].is_a?(String)
      end

      def named(name)
        @objects[name]
      end

      def replace(value)
        name = name_of(value)
        name ? Reference.new(name) : value
      end

      def restore(value)
        return value unless value.is_a?(Reference)

        named(value.name) || found(value.name) || raise(UnreadableState, "no #{Array(value.name).join(" ")} in this event")
      end

      private
        # Only needed to write, not to read.
        def names
          @names ||= {}.compare_by_identity.tap { |names| objects.each { |name, object| names[object] ||= name } }
        end

        # A record that no longer identifies the connection: those are named by their class and id.
        def found(name)
          type, id = name
          type.constantize.find(id) if name.is_a?(Array)
        end
    end
  end
end
