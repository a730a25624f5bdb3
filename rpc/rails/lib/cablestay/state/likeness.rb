# frozen_string_literal: true

module Cablestay
  module State
    # Tells whether two values, from different copies of a state, are alike: by their bytes, but records by what is in
    # them, for to read an attribute or to load an association changes a record's bytes.
    module Likeness
      # What stands for a record.
      Portrait = Struct.new(:type, :values, :new, :destroyed, :app, :unsaved)

      class << self
        def of(value)
          value = References.current.replace(value)
          Marshal.dump(Marshal.load(Marshal.dump(value), method(:portrayed).to_proc))
        rescue StandardError, SystemStackError # what can't travel is like itself only
          [ :itself, value.__id__ ]
        end

        private
          def portrayed(object)
            Records.record?(object) && Records.whole?(object) ? portrait(object) : object
          end

          # Those that are loaded with it have become portraits before.
          def portrait(record)
            loaded = Records.loaded(record).select { |other| Portrait === other && unsaved?(other) }
            Portrait.new(record.class.name, Records.values(record.instance_variable_get(:@attributes)), record.new_record?,
              record.destroyed?, Records.app_ivars(record), loaded)
          end

          def unsaved?(portrait)
            portrait.new || portrait.destroyed || portrait.values[:changes].any?
          end
      end
    end
  end
end
