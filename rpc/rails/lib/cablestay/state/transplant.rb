# frozen_string_literal: true

module Cablestay
  module State
    # Puts objects in the places of others, in objects that have been read. For those that Replacement can't reach:
    # Ruby >= 3.1 asks it about an object that marshals itself (OpenStruct, a record in Rails' format of 7.1) only
    # where it is met first.
    class Transplant
      # +instead+: what is replaced => by what.
      def initialize(instead)
        @instead = instead
      end

      def into(ivars)
        Graph.new(ivars).objects.each { |holder| exchange(holder) unless @instead.key?(holder) }
        ivars.transform_values { |value| instead_of(value) }
      end

      private
        def instead_of(object)
          @instead.fetch(object, object)
        end

        def any?(objects)
          objects.any? { |object| @instead.key?(object) }
        end

        def exchange(holder)
          return if Graph.frozen?(holder)

          case holder
          when Array then holder.map! { |element| instead_of(element) } if any?(holder)
          when Hash then refill(holder) if any?(holder.keys) || any?(holder.values)
          when Struct then holder.each_pair { |name, member| holder[name] = instead_of(member) if @instead.key?(member) }
          when Set then holder.replace(holder.map { |element| instead_of(element) }) if any?(holder)
          when OpenStruct then holder.each_pair { |name, value| holder[name] = instead_of(value) if @instead.key?(value) }
          end
          exchange_ivars(holder)
          Records.exchange(holder) { |loaded| @instead[loaded] } if Records.record?(holder)
        end

        def refill(hash)
          pairs = hash.to_a
          hash.clear
          pairs.each { |key, value| Relocation::STORE.bind_call(hash, instead_of(key), instead_of(value)) }
        end

        def exchange_ivars(holder)
          Graph::IVARS.bind_call(holder).each do |name|
            value = Graph::IVAR.bind_call(holder, name)
            Graph::SET_IVAR.bind_call(holder, name, instead_of(value)) if @instead.key?(value)
          end
        end
    end
  end
end
