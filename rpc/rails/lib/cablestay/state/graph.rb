# frozen_string_literal: true

module Cablestay
  module State
    # The objects that instance variables lead to, the nearest first, as Marshal would find them. Ends where an object
    # marshals itself in its own way (records and relations are entered all the same), at objects of Rails that
    # travel as a name, and after LIMIT objects.
    class Graph
      LIMIT = 10_000

      PLAIN = [ Array, Hash, Set, OpenStruct ].freeze
      OWN_WAY = %i[ marshal_dump _dump ].freeze

      CLASS = Kernel.instance_method(:class)
      IVARS = Kernel.instance_method(:instance_variables)
      IVAR = Kernel.instance_method(:instance_variable_get)
      SET_IVAR = Kernel.instance_method(:instance_variable_set)

      # A BasicObject has no word for it.
      def self.frozen?(object)
        (Object === object || Delegator === object) && object.frozen?
      end

      # Objects of another graph, +beyond+, at which this one ends.
      attr_reader :met

      # One that says it has the method to marshal itself and has not, as those that answer to everything do: what
      # Marshal would write is not that object.
      attr_reader :pretender

      def initialize(ivars, beyond: nil, references: References.current)
        @beyond, @references = beyond, references
        @met = []
        @found = {}.compare_by_identity
        @own_way = {}
        @queue = []
        ivars.each_value { |value| find(@references.replace(value)) }
        walk
      end

      # The same for some of the instance variables.
      def within(ivars)
        Graph.new(ivars, beyond: @beyond)
      end

      def include?(object)
        @found.key?(object)
      end

      def objects
        @found.keys
      end

      def records
        objects.select { |object| Records.record?(object) }
      end

      def frozen
        objects.select { |object| Graph.frozen?(object) && !(Range === object) }
      end

      private
        def walk
          index = 0
          while index < @queue.size
            enter(@queue[index])
            index += 1
          end
        end

        def find(object)
          case object
          when Symbol, Integer, nil, true, false, Float then return
          when String, Time, Regexp, Range then leaf = true # nothing to enter
          when Numeric, Module, Proc, References::Reference then return
          end
          return if @found.size >= LIMIT || @found.key?(object) || (!leaf && @references.rails?(object))

          @found[object] = true
          if @beyond&.include?(object) then @met << object
          elsif !leaf then @queue << object
          end
        end

        def enter(object)
          enter_kind(object)
        rescue StandardError # of a method of the app's own: Marshal will say so, or does not ask
        end

        def enter_kind(object)
          case object
          when Array then object.each { |element| find(element) }
          when Hash then enter_hash(object)
          when Struct then object.to_a.each { |member| find(member) }
          when Set then object.to_a.each { |element| find(element) }
          when OpenStruct then object.to_h.each_value { |value| find(value) }
          else return enter_other(object)
          end
          return if PLAIN.include?(CLASS.bind_call(object))

          enter_ivars(object)
          check(object)
        end

        # A string that is a key is frozen by Ruby, and a copy. Threads of a living channel may add keys meanwhile, which
        # Ruby forbids them while a hash is gone through.
        def enter_hash(hash)
          hash.keys.each { |key| find(key) unless String === key }
          hash.values.each { |value| find(value) }
          find(hash.default) unless hash.default_proc
        end

        def enter_other(object)
          if Records.record?(object)
            Records.children(object) { |child| find(child) }
          elsif Records.relation?(object)
            find(object.records) if object.loaded?
          elsif defined?(Data.define) && Data === object
            object.to_h.each_value { |member| find(member) }
          elsif Delegator === object || !own_way?(CLASS.bind_call(object))
            enter_ivars(object)
            check(object)
          end
        end

        def check(object)
          return if @pretender || !(Object === object) || own_way?(CLASS.bind_call(object))

          @pretender = object if OWN_WAY.any? { |name| object.respond_to?(name, true) && !defines?(object.singleton_class, name) }
        end

        def enter_ivars(object)
          IVARS.bind_call(object).each { |name| find(IVAR.bind_call(object, name)) }
        end

        def own_way?(type)
          @own_way.fetch(type) do
            @own_way[type] = OWN_WAY.any? { |name| defines?(type, name) }
          end
        end

        def defines?(type, name)
          type.method_defined?(name) || type.private_method_defined?(name)
        end
    end
  end
end
