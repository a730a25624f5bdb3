# frozen_string_literal: true

module Cablestay
  module State
    # Reads a state in which some objects stand for others.
    class Replacement
      # +living+ objects by the ids of their copies: see Sharing.
      def initialize(living)
        @living = living
        @in_place = {}.compare_by_identity
      end

      # Marshal takes what the block makes of each object that it has read, also where it is met again.
      def load(bytes)
        saved = Marshal.load(bytes, method(:instead_of).to_proc)
        missed? ? { **saved, ivars: Transplant.new(@in_place).into(saved[:ivars]) } : saved
      end

      private
        def instead_of(object)
          return @in_place[object] if @in_place.key?(object)

          case object
          when Sharing::Table then know(object)
          when Relocation::GlobalId then return @in_place[object] = @living[object.shared] || object.find
          end
          object
        end

        def missed?
          @in_place.each_key.any? do |copy|
            OpenStruct === copy || Delegator === copy || Records.record?(copy) || (Object === copy && copy.respond_to?(:marshal_dump, true))
          end
        end

        def know(table)
          table.objects.each { |id, copy| @in_place[copy] = @living[id] if @living.key?(id) }
        end
    end
  end
end
