# frozen_string_literal: true

module Cablestay
  module State
    # Puts GlobalIDs in the places of saved records, in instance variables and in the arrays, hashes and sets there.
    # Containers of records are copied for it; what a copy stands for is told by [].
    class Relocation
      # What travels. +shared+ is the id that the record has in Sharing: where it lives, it need not be found.
      GlobalId = Struct.new(:uri, :shared) do
        def find
          GlobalID::Locator.locate(uri) || raise(UnreadableState, "nothing is found at #{uri}")
        rescue ActiveRecord::RecordNotFound
          raise UnreadableState, "there is no #{uri} any more"
        end
      end

      STORE = Hash.instance_method(:store)

      # A new record has no id yet, and one that was destroyed is not to be found: they travel as they are.
      def self.applies_to?(object)
        Records.record?(object) && object.respond_to?(:to_global_id) && object.persisted? && !object.id.nil? && GlobalID.app
      end

      # Where records travel as they are.
      NONE = Class.new do
        def [](object)
          object
        end

        def shared(_id, object)
          object
        end

        def moved?(_object)
          false
        end
      end.new

      def initialize(ivars)
        @instead = {}.compare_by_identity
        mark(ivars.values)
      end

      def [](object)
        return @instead[object] if @instead.key?(object)

        if Relocation.applies_to?(object)
          @instead[object] = GlobalId.new(object.to_global_id.to_s)
        elsif @holding.key?(object)
          fill(@instead[object] = object.dup.clear, object)
        else
          object
        end
      end

      def shared(id, object)
        self[object].tap { |instead| instead.shared = id if GlobalId === instead }
      end

      # Was it met in a place where its GlobalID is now?
      def moved?(object)
        GlobalId === @instead[object]
      end

      private
        # Which containers hold a record, or one that does?
        def mark(objects)
          @holding = {}.compare_by_identity
          holders = {}.compare_by_identity
          objects = objects.select { |object| container?(object) }.each { |object| holders[object] ||= [] }
          while (holder = objects.shift)
            elements(holder).each do |element|
              if Relocation.applies_to?(element) then hold(holder, holders)
              elsif container?(element)
                holders.key?(element) || objects << element
                (holders[element] ||= []) << holder
                hold(holder, holders) if @holding.key?(element)
              end
            end
          end
        end

        def hold(container, holders)
          marked = [ container ]
          while (container = marked.pop)
            next if @holding.key?(container)

            @holding[container] = true
            marked.concat(holders[container])
          end
        end

        def container?(object)
          Array === object || Hash === object || Set === object
        end

        def elements(container)
          Hash === container ? container.keys + container.values : container
        end

        def fill(copy, container)
          case container
          when Hash then container.each { |key, value| STORE.bind_call(copy, self[key], self[value]) }
          else container.each { |element| copy << self[element] }
          end
          copy
        end
    end
  end
end
