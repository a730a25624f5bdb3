# frozen_string_literal: true

module Cablestay
  module Live
    # Lists of channels or connections that their own classes keep, in a constant, an instance variable or a class variable:
    # whoever is in one must stay the object that it is. What is kept elsewhere is found when it transmits: see Offer.
    module Registries
      MOST = 1_000 # objects that are looked into, the nearest first
      LONGEST = 10_000 # elements of one of them

      class << self
        # Is the object in a list of its class, or of one above it that is the app's?
        def keep?(object, base)
          queue = []
          object.class.ancestors.each { |type| type.equal?(base) ? break : kept_by(type, queue) }
          return false if queue.empty?
          return true if queue.any? { |value| value.equal?(object) }

          seen = {}.compare_by_identity
          until queue.empty? || seen.size >= MOST
            value = queue.shift
            next if seen.key?(value)

            seen[value] = true
            inside(value).each { |one| one.equal?(object) ? (return true) : keep(one, queue) }
          end
          false
        end

        private
          # Most types keep nothing, and are asked after each event. What would have to be loaded first keeps nothing, either.
          def kept_by(type, values)
            type.constants(false).each { |name| keep(type.const_get(name, false), values) unless type.autoload?(name, false) }
            type.instance_variables.each { |name| keep(type.instance_variable_get(name), values) }
            type.class_variables(false).each { |name| keep(type.class_variable_get(name), values) }
          end

          def keep(value, values)
            values << value unless leaf?(value)
          end

          # Is there nothing in it?
          def leaf?(value)
            case value
            when Module, Proc, String, Symbol, Numeric, nil, true, false then true
            end
          end

          def inside(value)
            case value
            when Array, Set then value.size > LONGEST ? [] : value.to_a
            when Hash then value.size > LONGEST ? [] : value.keys + value.values
            when Concurrent::Map then value.values
            when ActionCable::Channel::Base, ActionCable::Connection::Base then []
            else value.instance_variables.map { |name| value.instance_variable_get(name) }
            end
          rescue StandardError # of an object that is not as others are
            []
          end
      end
    end
  end
end
